import { FUNCTIONS } from "./functions.ts";
import {
  type Block,
  malformed,
  type Node,
  type Operand,
  type Pipeline,
  type Template,
  unknownField,
} from "./syntax.ts";
import { Exact, isMap, isTrue, shownText } from "./values.ts";

/** A value, and by which members one comes to it from the object that is shown. */
interface Found {
  readonly value: unknown;
  readonly path: readonly string[];
}

interface Scope {
  readonly dot: Found;
  readonly variables: Map<string, Found>;
  readonly source: string;
}

/**
 * The text that `template` makes of `value`. Control characters of values are escaped; what
 * `json` makes is exact.
 *
 * @throws TsimgError ERR_USAGE for a field that isn't there, naming those that are
 */
export function evaluate({ nodes, source }: Template, value: unknown): string {
  const dot = { value, path: [] };
  return textOfNodes(nodes, { dot, variables: new Map([["$", dot]]), source });
}

function textOfNodes(nodes: readonly Node[], scope: Scope): string {
  return nodes
    .map((node) => {
      switch (node.kind) {
        case "text":
          return node.text;
        case "action":
          return shownFound(run(node.pipeline, scope));
        case "set":
          scope.variables.set(node.name, run(node.pipeline, scope));
          return "";
        default:
          return textOfBlock(node, scope);
      }
    })
    .join("");
}

/** A map that is null is an empty one, as in Go. */
function shownFound({ value, path }: Found): string {
  return value === null && isMap(path) ? "map[]" : shownText(value);
}

function textOfBlock(block: Block, scope: Scope): string {
  const { kind, variables, body, otherwise } = block;
  const found = run(block.pipeline, scope);
  const inner = (dot: Found, values: readonly Found[]) => {
    const own = variables.map((name, at): [string, Found] => [name, values[at] ?? found]);
    const all = new Map([...scope.variables, ...own]);
    return textOfNodes(body, { ...scope, dot, variables: all });
  };
  if (!isTrue(found.value))
    return textOfNodes(otherwise, { ...scope, variables: new Map(scope.variables) });
  if (kind === "if") return inner(scope.dot, [found]);
  if (kind === "with") return inner(found, [found]);
  return elementsOf(found)
    .map(([key, element]) => inner(element, variables.length > 1 ? [key, element] : [element]))
    .join("");
}

/** Of a list in its order, of a map by its keys. */
function elementsOf({ value, path }: Found): readonly (readonly [Found, Found])[] {
  const found = (each: unknown): Found => ({ value: each, path: [...path, "*"] });
  if (Array.isArray(value)) return value.map((each, at) => [found(at), found(each)]);
  if (typeof value !== "object" || value === null) return [];
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, each]) => [found(key), found(each)]);
}

function run(pipeline: Pipeline, scope: Scope): Found {
  return pipeline.reduce<Found | undefined>((previous, { call, operands }) => {
    const values = operands.map((operand) => operandOf(operand, scope));
    if (previous !== undefined) values.push(previous);
    const [first = { value: undefined, path: [] }, ...others] = values;
    const given = values.map(({ value }) => value);
    const [operand] = operands;
    if (call !== undefined) return { value: FUNCTIONS[call]?.apply(given), path: [] };
    if (others.length > 0 || typeof first.value === "function") return method(first, others, scope);
    // A string of the template's own.
    const isOwn = operand?.kind === "literal" && typeof operand.value === "string";
    return isOwn ? { value: new Exact(String(operand.value)), path: [] } : first;
  }, undefined) as Found;
}

/** `.Label "name"`: some fields of listings are functions. */
function method({ value, path }: Found, operands: readonly Found[], { source }: Scope): Found {
  if (typeof value !== "function")
    throw malformed(source, `'.${path.join(".")}' takes no operands: it is not understood`);
  return { value: value(...operands.map((operand) => operand.value)) as unknown, path: [] };
}

function operandOf(operand: Operand, scope: Scope): Found {
  switch (operand.kind) {
    case "literal":
      return { value: operand.value, path: [] };
    case "field":
      return memberOf(scope.dot, operand.path, scope.source);
    case "inner":
      return memberOf(run(operand.pipeline, scope), operand.path, scope.source);
    default: {
      const found = scope.variables.get(operand.name);
      if (found === undefined)
        throw malformed(scope.source, `there is no variable '${operand.name}'`);
      return memberOf(found, operand.path, scope.source);
    }
  }
}

function memberOf(from: Found, names: readonly string[], source: string): Found {
  return names.reduce<Found>(({ value, path }, name) => {
    const next = [...path, name];
    const isObject = typeof value === "object" && value !== null;
    if (isObject && Object.hasOwn(value, name))
      return { value: Reflect.get(value, name), path: next };
    // Of what a map hasn't got nothing can be got either, which docker doesn't mind.
    if (value === undefined || (isObject && isMap(path))) return { value: undefined, path: next };
    const shown = next.filter((part) => part !== "*");
    throw unknownField(shown, isObject ? Object.keys(value) : [], source);
  }, from);
}
