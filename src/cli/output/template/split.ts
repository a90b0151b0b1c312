import { malformed } from "./syntax.ts";

/** Text, or what stands between `{{` and `}}`. */
export type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly text: string };

/** Strings may hold braces. */
const ACTION = /\{\{(- )?((?:"(?:[^"\\]|\\.)*"|`[^`]*`|(?!\}\}|"|`)[\s\S])*?)( -)?\}\}/y;

/**
 * Takes a template apart. `\t` and `\n` in its text are a tab and a line feed, as docker has
 * it; `{{- ` and ` -}}` take the space beside them away; comments are left out.
 *
 * @throws TsimgError ERR_USAGE for an action without an end
 */
export function splitTemplate(source: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trims = false;
  for (;;) {
    const start = source.indexOf("{{", at);
    let text = source.slice(at, start === -1 ? undefined : start);
    text = text.replaceAll("\\t", "\t").replaceAll("\\n", "\n");
    if (trims) text = text.trimStart();
    if (start === -1) {
      if (text !== "") pieces.push({ kind: "text", text });
      return pieces;
    }
    ACTION.lastIndex = start;
    const [all, before, action = "", after] = ACTION.exec(source) ?? [];
    if (all === undefined) throw malformed(source, `'${source.slice(start)}' has no '}}'`);
    if (before !== undefined) text = text.trimEnd();
    if (text !== "") pieces.push({ kind: "text", text });
    if (!/^\s*\/\*[\s\S]*\*\/\s*$/.test(action)) pieces.push({ kind: "action", text: action });
    trims = after !== undefined;
    at = start + all.length;
  }
}
