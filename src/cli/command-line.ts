/** A command line, taken apart as far as that is the same for all commands. */
export interface CommandLine {
  /** The options before the command's name. */
  readonly globals: GlobalFlags;
  /** Of the command; empty when there is none. */
  readonly name: string;
  readonly words: readonly string[];
}

interface GlobalFlags {
  readonly root?: string;
  readonly runroot?: string;
  readonly debug?: boolean;
}

/** Takes the options before the command's name, as far as they are plain. */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const globals: { -readonly [K in keyof GlobalFlags]: GlobalFlags[K] } = {};
  let at = 0;
  for (; at < argv.length; at++) {
    const [, name, , value] = /^--(root|runroot)(=(.*))?$/s.exec(argv[at] ?? "") ?? [];
    if (name === "root" || name === "runroot") {
      const text = value ?? argv[++at];
      if (text === undefined) break;
      globals[name] = text;
    } else if (argv[at] === "--debug") globals.debug = true;
    else break;
  }
  const [name = "", ...words] = argv.slice(at);
  return { globals, name, words };
}
