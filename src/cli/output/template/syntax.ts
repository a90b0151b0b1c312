import { TsimgError } from "../../../sys/error.ts";
import { escapeControl } from "../escape-control.ts";

/** A value that an action names: what stands before the first dot, and the members behind it. */
export type Operand =
  | { readonly kind: "field"; readonly path: readonly string[] }
  | { readonly kind: "variable"; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: "literal"; readonly value: string | number | boolean | null }
  | { readonly kind: "inner"; readonly pipeline: Pipeline; readonly path: readonly string[] };

/** `json .Config`; without a function, its one operand; or a method, with what it is given. */
export interface Call {
  readonly call: string | undefined;
  readonly operands: readonly Operand[];
}

/** Calls joined by `|`: what one gives is the last operand of the next. */
export type Pipeline = readonly Call[];

export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly pipeline: Pipeline }
  /** `$x := …` and `$x = …`, which print nothing. */
  | { readonly kind: "set"; readonly name: string; readonly pipeline: Pipeline }
  | Block;

export interface Block {
  readonly kind: "if" | "with" | "range";
  /** Of `range`, for the key and the value; else for the value alone. */
  readonly variables: readonly string[];
  readonly pipeline: Pipeline;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
}

/** A parsed `--format`: of Go's templates all but definitions, `break` and `continue`. */
export interface Template {
  readonly source: string;
  readonly nodes: readonly Node[];
}

export function malformed(source: string, flaw: string): TsimgError {
  return new TsimgError("ERR_USAGE", `--format '${escapeControl(source)}': ${flaw}`, {
    hint: "write Go templates such as {{.ID}}, {{json .}} or {{range .Mounts}}{{.Source}} {{end}}",
  });
}

/** @param known names of the fields that there are instead */
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
