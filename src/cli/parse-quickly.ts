import type { Command, Option, Values } from "./command.ts";

export interface ParsedLine {
  readonly values: Values;
  readonly flags: Readonly<Record<string, unknown>>;
}

/**
 * Reads a command's line when there is nothing to say about it. Undefined for anything else:
 * an unknown option, a missing argument, a value that is refused, a call for help. Commander
 * then reads it again and finds the words.
 */
export function parseQuickly(command: Command, words: readonly string[]): ParsedLine | undefined {
  const asksForHelp = words[0] === "--help" || words[0] === "-h";
  if (command.everything && !asksForHelp) return { values: [words], flags: {} };
  const flags: Record<string, unknown> = {};
  for (const option of command.options)
    if (option.defaultValue !== undefined) flags[option.member] = option.defaultValue;
  const plain: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word === "--") {
      plain.push(...words.slice(at + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      if (command.passesThrough) {
        plain.push(...words.slice(at));
        break;
      }
      plain.push(word);
      continue;
    }
    const taken = word.startsWith("--")
      ? takeLong(command, flags, word, words[at + 1])
      : takeShort(command, flags, word, words[at + 1]);
    if (taken === undefined) return undefined;
    at += taken;
  }
  const values = assign(command, plain);
  return values === undefined ? undefined : { values, flags };
}

/** @returns how many of the following words it took */
function takeLong(
  command: Command,
  flags: Record<string, unknown>,
  word: string,
  next: string | undefined,
): number | undefined {
  const equals = word.indexOf("=");
  const name = word.slice(2, equals < 0 ? undefined : equals);
  const option = command.options.find((each) => each.long === name);
  if (option === undefined) return undefined;
  if (!option.takesValue) return equals < 0 ? set(flags, option, undefined, 0) : undefined;
  if (equals >= 0) return set(flags, option, word.slice(equals + 1), 0);
  return next === undefined ? undefined : set(flags, option, next, 1);
}

/** A word such as `-it` or `-m512m`. */
function takeShort(
  command: Command,
  flags: Record<string, unknown>,
  word: string,
  next: string | undefined,
): number | undefined {
  for (let at = 1; at < word.length; at++) {
    const option = command.options.find((each) => each.short === word[at]);
    if (option === undefined) return undefined;
    if (!option.takesValue) {
      set(flags, option, undefined, 0);
      continue;
    }
    // As docker has it: -m512m and -m=512m.
    if (at + 1 < word.length) return set(flags, option, word.slice(at + 1).replace(/^=/, ""), 0);
    return next === undefined ? undefined : set(flags, option, next, 1);
  }
  return 0;
}

function set(
  flags: Record<string, unknown>,
  option: Option,
  text: string | undefined,
  taken: number,
): number | undefined {
  if (text === undefined) {
    flags[option.member] = !option.negated;
    return taken;
  }
  if (option.allowed?.includes(text) === false) return undefined;
  try {
    const before = flags[option.member] as never;
    flags[option.member] = option.parser === undefined ? text : option.parser(text, before);
    return taken;
  } catch {
    return undefined;
  }
}

function assign(command: Command, plain: readonly string[]): Values | undefined {
  const values: (string | readonly string[] | undefined)[] = [];
  let at = 0;
  for (const argument of command.arguments) {
    const rest = plain.slice(at);
    if (argument.required && rest.length === 0) return undefined;
    values.push(argument.variadic ? rest : plain[at]);
    at = argument.variadic ? plain.length : at + 1;
  }
  return at < plain.length ? undefined : values;
}
