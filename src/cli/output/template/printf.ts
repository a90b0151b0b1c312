import { shownText } from "./values.ts";

const VERB = /%([-+ 0#]*)(\d*)(?:\.(\d+))?([a-zA-Z%])/g;

/** Go's verbs for strings, numbers and truth values; others are shown as `%v`. */
export function printf(format: string, operands: readonly unknown[]): string {
  let at = 0;
  return format.replace(
    VERB,
    (_all, flags: string, width: string, digits: string, verb: string) => {
      if (verb === "%") return "%";
      if (at >= operands.length) return `%!${verb}(MISSING)`;
      const text = formatOne(verb, operands[at++], digits);
      const wide = Math.min(Number(width), 1000);
      if (flags.includes("-")) return text.padEnd(wide);
      return flags.includes("0") ? text.padStart(wide, "0") : text.padStart(wide);
    },
  );
}

function formatOne(verb: string, value: unknown, digits: string | undefined): string {
  const text = shownText(value);
  switch (verb) {
    case "q":
      return JSON.stringify(text);
    case "x":
      return typeof value === "number" ? value.toString(16) : Buffer.from(text).toString("hex");
    case "f":
      return Number(value).toFixed(Math.min(Number(digits ?? 6), 20));
    case "s":
      return digits === undefined ? text : text.slice(0, Number(digits));
    default:
      return text;
  }
}
