import { TsimgError } from "../../sys/error.ts";
import { escapeControl } from "./escape-control.ts";
import { FUNCTIONS, type TemplateFunction, textOf } from "./template-functions.ts";

/** What an action takes: a field of the value, or a literal. */
type Operand =
  | { readonly kind: "field"; readonly path: readonly string[] }
  | { readonly kind: "literal"; readonly value: string | number };

/** `json .Config`; without a function, its one operand. */
interface Command {
  readonly call: TemplateFunction | undefined;
  readonly operands: readonly Operand[];
}

type Piece =
  | { readonly kind: "text"; readonly text: string }
  /** Commands joined by `|`: what one gives is the last operand of the next. */
  | { readonly kind: "action"; readonly pipeline: readonly Command[] };

/** A parsed `--format`: of Go's templates, text and actions without control structures. */
export interface Template {
  readonly source: string;
  readonly pieces: readonly Piece[];
}

/**
 * Reads a template such as `{{.ID}}\t{{json .Labels}}`; `\t` and `\n` in its text are a tab
 * and a line feed.
 *
 * @throws TsimgError ERR_USAGE naming the action that isn't understood
 */
export function parseTemplate(source: string): Template {
  const pieces: Piece[] = [];
  let rest = source;
  while (rest !== "") {
    const start = rest.indexOf("{{");
    const text = start === -1 ? rest : rest.slice(0, start);
    if (text !== "")
      pieces.push({ kind: "text", text: text.replaceAll("\\t", "\t").replaceAll("\\n", "\n") });
    if (start === -1) break;
    const end = rest.indexOf("}}", start);
    if (end === -1) throw malformed(source, `'${rest.slice(start)}' has no '}}'`);
    const action = rest.slice(start + 2, end);
    pieces.push({ kind: "action", pipeline: parsePipeline(action, source) });
    rest = rest.slice(end + 2);
  }
  return { source, pieces };
}

const TOKEN = /\s*(?:(\.[\w.]*)|("(?:[^"\\]|\\.)*"|`[^`]*`)|(-?\d{1,15})\b|([A-Za-z]\w*)|(\|))/y;

function parsePipeline(action: string, source: string): readonly Command[] {
  const pipeline: { call: TemplateFunction | undefined; operands: Operand[] }[] = [
    { call: undefined, operands: [] },
  ];
  const text = action.trim();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const [all, field, string, number, word] = TOKEN.exec(text) ?? [];
    if (all === undefined) throw malformed(source, `'{{${action}}}' is not understood`);
    const command = pipeline.at(-1);
    if (command === undefined) break;
    if (field !== undefined) command.operands.push({ kind: "field", path: pathOf(field, source) });
    else if (string !== undefined)
      command.operands.push({ kind: "literal", value: unquoted(string, source) });
    else if (number !== undefined)
      command.operands.push({ kind: "literal", value: Number(number) });
    else if (word === undefined) pipeline.push({ call: undefined, operands: [] });
    else if (Object.hasOwn(FUNCTIONS, word) && command.operands.length === 0 && !command.call)
      command.call = FUNCTIONS[word];
    else throw malformed(source, `'${word}' in '{{${action}}}' is not understood`);
  }
  for (const [at, command] of pipeline.entries()) {
    const given = command.operands.length + (at === 0 ? 0 : 1);
    const fits = command.call === undefined ? at === 0 && given === 1 : given >= command.call.least;
    if (!fits) throw malformed(source, `'{{${action}}}' is not understood`);
  }
  return pipeline;
}

function pathOf(field: string, source: string): readonly string[] {
  if (field === ".") return [];
  const names = field.slice(1).split(".");
  if (names.includes("")) throw malformed(source, `field '${field}' has an empty name`);
  return names;
}

function unquoted(literal: string, source: string): string {
  if (literal.startsWith("`")) return literal.slice(1, -1);
  try {
    return String(JSON.parse(literal));
  } catch {
    throw malformed(source, `${literal} is no string`);
  }
}

/**
 * The text that `template` makes of `value`. Control characters of values are escaped; what
 * `json` makes is exact.
 *
 * @throws TsimgError ERR_USAGE for a field that isn't there, naming those that are
 */
export function evaluate(template: Template, value: unknown): string {
  return template.pieces
    .map((piece) => {
      if (piece.kind === "text") return piece.text;
      return escapeControl(textOf(runPipeline(piece.pipeline, value, template.source)));
    })
    .join("");
}

function runPipeline(pipeline: readonly Command[], root: unknown, source: string): unknown {
  return pipeline.reduce<unknown>((previous, { call, operands }, at) => {
    const values = operands.map((operand) =>
      operand.kind === "literal" ? operand.value : fieldOf(root, operand.path, source),
    );
    if (at > 0) values.push(previous);
    return call === undefined ? values[0] : call.apply(values);
  }, undefined);
}

function fieldOf(root: unknown, path: readonly string[], source: string): unknown {
  return path.reduce<unknown>((value, name, at) => {
    const names = typeof value === "object" && value !== null ? Object.keys(value) : [];
    if (names.includes(name)) return (value as Readonly<Record<string, unknown>>)[name];
    throw unknownField(path.slice(0, at + 1), names, source);
  }, root);
}

/** The fields that `template` takes of its value. */
export function fieldPaths(template: Template): readonly (readonly string[])[] {
  return template.pieces.flatMap((piece) =>
    piece.kind === "text"
      ? []
      : piece.pipeline.flatMap(({ operands }) =>
          operands.flatMap((operand) => (operand.kind === "field" ? [operand.path] : [])),
        ),
  );
}

export function unknownField(
  path: readonly string[],
  known: readonly string[],
  source: string,
): TsimgError {
  const parent = path.length === 1 ? "" : `'.${path.slice(0, -1).join(".")}' has no fields`;
  const names = known.length === 0 ? parent : `the fields here are ${known.join(", ")}`;
  return new TsimgError("ERR_USAGE", `unknown field '.${path.join(".")}' in --format '${source}'`, {
    ...(names !== "" && { hint: names }),
  });
}

function malformed(source: string, flaw: string): TsimgError {
  return new TsimgError("ERR_USAGE", `--format '${source}': ${flaw}`, {
    hint: `write fields and calls such as {{.ID}} or {{json .}}; the functions are ${Object.keys(FUNCTIONS).join(", ")}`,
  });
}
