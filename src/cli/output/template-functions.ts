import { jsonText } from "./escape-control.ts";

export interface TemplateFunction {
  /** How many operands it needs. */
  readonly least: number;
  readonly apply: (operands: readonly unknown[]) => unknown;
}

/** What a template may call, with docker's names and orders of operands. */
export const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  json: { least: 1, apply: ([value]) => jsonText(value) },
  lower: { least: 1, apply: ([value]) => textOf(value).toLowerCase() },
  upper: { least: 1, apply: ([value]) => textOf(value).toUpperCase() },
  join: {
    least: 2,
    apply: ([list, separator]) =>
      Array.isArray(list) ? list.map(textOf).join(textOf(separator)) : textOf(list),
  },
  split: { least: 2, apply: ([text, separator]) => textOf(text).split(textOf(separator)) },
  truncate: {
    least: 2,
    apply: ([text, length]) => [...textOf(text)].slice(0, Number(length)).join(""),
  },
  len: { least: 1, apply: ([value]) => lengthOf(value) },
  /** The element of a list or the value of a key, also of one with dots in it. */
  index: {
    least: 2,
    apply: ([value, ...keys]) =>
      keys.reduce<unknown>((inner, key) => {
        if (typeof inner !== "object" || inner === null) return "";
        const name = textOf(key);
        return Object.hasOwn(inner, name) ? Reflect.get(inner, name) : "";
      }, value),
  },
};

/** A value as Go prints it: `[a b]`, `map[key:value]`, `<no value>`. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return "<no value>";
  if (Array.isArray(value)) return `[${value.map(textOf).join(" ")}]`;
  if (typeof value !== "object") return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, inner]) => `${key}:${textOf(inner)}`).join(" ")}]`;
}

function lengthOf(value: unknown): number {
  if (typeof value === "string" || Array.isArray(value)) return value.length;
  return typeof value === "object" && value !== null ? Object.keys(value).length : 0;
}
