import { jsonText } from "../escape-control.ts";
import { printf } from "./printf.ts";
import { Exact, isTrue, lengthOf, shownText, textOf } from "./values.ts";

export interface TemplateFunction {
  /** How many operands it needs. */
  readonly least: number;
  readonly apply: (operands: readonly unknown[]) => unknown;
}

type Apply = TemplateFunction["apply"];

/** What a template may call, with Go's and docker's names and orders of operands. */
export const FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  json: { least: 1, apply: ([value]) => jsonText(value ?? null) },
  lower: { least: 1, apply: ([value]) => textOf(value).toLowerCase() },
  upper: { least: 1, apply: ([value]) => textOf(value).toUpperCase() },
  title: { least: 1, apply: ([value]) => textOf(value).replace(/\b\w/g, (it) => it.toUpperCase()) },
  join: { least: 2, apply: ([list, separator]) => joined(list, separator) },
  split: { least: 2, apply: ([text, separator]) => textOf(text).split(textOf(separator)) },
  truncate: {
    least: 2,
    apply: ([text, length]) => [...textOf(text)].slice(0, Number(length)).join(""),
  },
  pad: {
    least: 3,
    apply: ([text, before, after]) => {
      const spaces = (count: unknown) =>
        " ".repeat(Math.min(Math.max(Number(count) || 0, 0), 1000));
      return `${spaces(before)}${textOf(text)}${spaces(after)}`;
    },
  },
  len: { least: 1, apply: ([value]) => lengthOf(value) },
  /** The element of a list or the value of a key, also of one with dots in it. */
  index: { least: 2, apply: ([value, ...keys]) => keys.reduce<unknown>(elementOf, value) },
  slice: {
    least: 1,
    apply: ([value, from = 0, to]) => {
      const end = to === undefined ? undefined : Number(to);
      return Array.isArray(value)
        ? value.slice(Number(from), end)
        : textOf(value).slice(Number(from), end);
    },
  },
  print: { least: 0, apply: (operands) => new Exact(printed(operands)) },
  println: {
    least: 0,
    apply: (operands) => new Exact(`${operands.map(shownText).join(" ")}\n`),
  },
  printf: {
    least: 1,
    apply: ([format, ...operands]) => new Exact(printf(textOf(format), operands)),
  },
  and: { least: 1, apply: (operands) => operands.find((it) => !isTrue(it)) ?? operands.at(-1) },
  or: { least: 1, apply: (operands) => operands.find(isTrue) ?? operands.at(-1) },
  not: { least: 1, apply: ([value]) => !isTrue(value) },
  eq: { least: 2, apply: ([value, ...others]) => others.some((it) => plain(it) === plain(value)) },
  ne: { least: 2, apply: ([one, other]) => plain(one) !== plain(other) },
  lt: { least: 2, apply: compared((order) => order < 0) },
  le: { least: 2, apply: compared((order) => order <= 0) },
  gt: { least: 2, apply: compared((order) => order > 0) },
  ge: { least: 2, apply: compared((order) => order >= 0) },
};

function joined(list: unknown, separator: unknown): unknown {
  if (!Array.isArray(list)) return textOf(list);
  return new Exact(list.map(shownText).join(textOf(separator)));
}

function elementOf(value: unknown, key: unknown): unknown {
  if (typeof value !== "object" || value === null) return "";
  const name = textOf(key);
  return Object.hasOwn(value, name) ? Reflect.get(value, name) : "";
}

/** Go puts a space between two operands of which neither is a string. */
function printed(operands: readonly unknown[]): string {
  const isText = (value: unknown) => typeof value === "string" || value instanceof Exact;
  return operands
    .map((value, at) => {
      const apart = at > 0 && !isText(value) && !isText(operands[at - 1]);
      return `${apart ? " " : ""}${shownText(value)}`;
    })
    .join("");
}

function plain(value: unknown): unknown {
  return value instanceof Exact ? value.text : value;
}

function compared(holds: (order: number) => boolean): Apply {
  return ([one, other]) => {
    const [a, b] = [plain(one), plain(other)];
    if (typeof a === "number" && typeof b === "number") return holds(a - b);
    const [x, y] = [textOf(a), textOf(b)];
    return holds(Number(x > y) - Number(x < y));
  };
}
