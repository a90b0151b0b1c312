import { FUNCTIONS } from "./functions.ts";
import { type Call, malformed, type Operand, type Pipeline } from "./syntax.ts";

const TOKEN =
  /\s*(?:(\.[\w.]*)|("(?:[^"\\]|\\.)*"|`[^`]*`)|(-?\d{1,15}(?:\.\d+)?)(?![\w.])|(\$\w*)((?:\.\w+)*)|([A-Za-z]\w*)|(\|)|(\()|\)((?:\.\w+)*))/y;

const CONSTANTS: Readonly<Record<string, boolean | null>> = { true: true, false: false, nil: null };

/**
 * Reads `json .Config | upper`, with calls in parentheses.
 *
 * @param source the whole template, for errors
 * @throws TsimgError ERR_USAGE naming the action that isn't understood
 */
export function parsePipeline(action: string, source: string): Pipeline {
  const reader = new Reader(action, source);
  const pipeline = reader.pipeline(false);
  if (!reader.isAtEnd) throw reader.confused();
  return pipeline;
}

class Reader {
  private readonly action: string;
  private readonly text: string;
  private readonly source: string;
  private at = 0;

  constructor(action: string, source: string) {
    this.action = action;
    this.text = action.trim();
    this.source = source;
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  /** @param inner whether a closing parenthesis ends it, which is left to be read */
  pipeline(inner: boolean): Pipeline {
    const calls: Call[] = [];
    for (;;) {
      const call = this.call(calls.length > 0);
      calls.push(call);
      if (this.isAtEnd || (inner && this.text[this.at] === ")")) return calls;
      if (this.text[this.at] !== "|") throw this.confused();
      this.next();
      if (this.isAtEnd) throw this.confused();
    }
  }

  confused(what?: string): Error {
    const place = `'{{${this.action}}}'`;
    return malformed(
      this.source,
      `${what === undefined ? "" : `'${what}' in `}${place} is not understood`,
    );
  }

  private call(hasPrevious: boolean): Call {
    let name: string | undefined;
    const operands: Operand[] = [];
    while (!this.isAtEnd && !/^\s*[|)]/.test(this.text.slice(this.at))) {
      const [, field, string, number, variable, members, word, , open] = this.next();
      if (field !== undefined) operands.push({ kind: "field", path: this.pathOf(field) });
      else if (string !== undefined)
        operands.push({ kind: "literal", value: this.unquoted(string) });
      else if (number !== undefined) operands.push({ kind: "literal", value: Number(number) });
      else if (variable !== undefined)
        operands.push({ kind: "variable", name: variable, path: this.pathOf(members ?? "") });
      else if (open !== undefined) operands.push(this.inner());
      else if (word !== undefined && Object.hasOwn(CONSTANTS, word))
        operands.push({ kind: "literal", value: CONSTANTS[word] ?? null });
      else if (
        word !== undefined &&
        Object.hasOwn(FUNCTIONS, word) &&
        operands.length === 0 &&
        !name
      )
        name = word;
      else throw this.confused(word);
    }
    this.skipSpace();
    const given = operands.length + Number(hasPrevious);
    const [first] = operands;
    const isMethod = first !== undefined && first.kind !== "literal" && !hasPrevious;
    const fits =
      name === undefined
        ? (isMethod && given >= 1) || (given === 1 && !hasPrevious)
        : given >= (FUNCTIONS[name]?.least ?? 0);
    if (!fits) throw this.confused();
    return { call: name, operands };
  }

  private inner(): Operand {
    const pipeline = this.pipeline(true);
    this.skipSpace();
    const members = this.next()[9];
    if (members === undefined) throw this.confused();
    return { kind: "inner", pipeline, path: this.pathOf(members) };
  }

  private next(): readonly (string | undefined)[] {
    TOKEN.lastIndex = this.at;
    const found = TOKEN.exec(this.text);
    if (found === null) throw this.confused();
    this.at = TOKEN.lastIndex;
    return found;
  }

  private skipSpace(): void {
    while (/\s/.test(this.text[this.at] ?? "")) this.at++;
  }

  private pathOf(field: string): readonly string[] {
    if (field === "." || field === "") return [];
    const names = field.slice(1).split(".");
    if (names.includes("")) throw malformed(this.source, `field '${field}' has an empty name`);
    return names;
  }

  private unquoted(literal: string): string {
    if (literal.startsWith("`")) return literal.slice(1, -1);
    try {
      return String(JSON.parse(literal));
    } catch {
      throw malformed(this.source, `${literal} is no string`);
    }
  }
}
