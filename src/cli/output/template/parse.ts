import { parsePipeline } from "./parse-pipeline.ts";
import { splitTemplate } from "./split.ts";
import { type Block, malformed, type Node, type Template } from "./syntax.ts";

/** A block whose end hasn't come yet. */
interface Open {
  readonly kind: Block["kind"];
  readonly head: string;
  readonly body: Node[];
  readonly otherwise: Node[];
  hasElse: boolean;
  /** `else if` opens one that ends with the block around it. */
  readonly chained: boolean;
}

const HEAD = /^\s*(if|with|range|else|end)\b\s*([\s\S]*)$/;
const SET = /^\s*(\$\w+)\s*:?=([\s\S]*)$/;
const VARIABLES = /^\s*(\$\w+)\s*(?:,\s*(\$\w+)\s*)?:=([\s\S]*)$/;

/**
 * Reads a template such as `{{.ID}}\t{{json .Labels}}`.
 *
 * @throws TsimgError ERR_USAGE naming the action that isn't understood
 */
export function parseTemplate(source: string): Template {
  const nodes: Node[] = [];
  const open: Open[] = [];
  for (const piece of splitTemplate(source)) {
    const [, word, rest = ""] = (piece.kind === "action" && HEAD.exec(piece.text)) || [];
    if (piece.kind === "text") listOf(open, nodes).push(piece);
    else if (word === "if" || word === "with" || word === "range")
      open.push(opened(word, rest, piece.text, false, source));
    else if (word === "else") otherwise(open, rest, piece.text, source);
    else if (word === "end") close(open, nodes, rest, piece.text, source);
    else listOf(open, nodes).push(action(piece.text, source));
  }
  const [unclosed] = open;
  if (unclosed !== undefined) throw malformed(source, `'{{${unclosed.kind}}}' has no '{{end}}'`);
  return { source, nodes };
}

function listOf(open: readonly Open[], nodes: Node[]): Node[] {
  const last = open.at(-1);
  if (last === undefined) return nodes;
  return last.hasElse ? last.otherwise : last.body;
}

function action(text: string, source: string): Node {
  const [, name, rest = ""] = SET.exec(text) ?? [];
  if (name !== undefined) return { kind: "set", name, pipeline: parsePipeline(rest, source) };
  return { kind: "action", pipeline: parsePipeline(text, source) };
}

function opened(
  kind: Block["kind"],
  head: string,
  text: string,
  chained: boolean,
  source: string,
): Open {
  if (head.trim() === "") throw malformed(source, `'{{${text}}}' is not understood`);
  return { kind, head, body: [], otherwise: [], hasElse: false, chained };
}

function otherwise(open: Open[], rest: string, text: string, source: string): void {
  const last = open.at(-1);
  if (last === undefined || last.hasElse)
    throw malformed(source, `'{{${text}}}' belongs to nothing`);
  last.hasElse = true;
  if (rest.trim() === "") return;
  const [, kind, head = ""] = /^(if|with)\b\s*([\s\S]*)$/.exec(rest) ?? [];
  if (kind !== "if" && kind !== "with") throw malformed(source, `'{{${text}}}' is not understood`);
  open.push(opened(kind, head, text, true, source));
}

function close(open: Open[], nodes: Node[], rest: string, text: string, source: string): void {
  if (rest.trim() !== "") throw malformed(source, `'{{${text}}}' is not understood`);
  for (;;) {
    const last = open.pop();
    if (last === undefined) throw malformed(source, "'{{end}}' belongs to nothing");
    listOf(open, nodes).push(blockOf(last, source));
    if (!last.chained) return;
  }
}

function blockOf({ kind, head, body, otherwise }: Open, source: string): Block {
  const [, first, second, rest] = VARIABLES.exec(head) ?? [];
  const variables = [first, second].filter((name) => name !== undefined);
  const pipeline = parsePipeline(rest ?? head, source);
  return { kind, variables, pipeline, body, otherwise };
}
