/** A value that a parser of an option refuses; the message says what it should be. */
export class InvalidArgumentError extends Error {}

type Parser = (text: string, previous: never) => unknown;

/** One option, as written in the help: `-e, --env <name=value>`. */
export class Option {
  readonly flags: string;
  readonly description: string;
  /** `e`, where it has a short form. */
  readonly short: string | undefined;
  /** `env`, or `no-trunc`. */
  readonly long: string;
  /** The member of the flags object: `env`; `trunc` for `--no-trunc`. */
  readonly member: string;
  readonly takesValue: boolean;
  readonly negated: boolean;
  parser: Parser | undefined;
  defaultValue: unknown;
  defaultShown: string | undefined;
  /** The heading that it stands under in the help. */
  group: string | undefined;
  allowed: readonly string[] | undefined;

  constructor(flags: string, description: string) {
    this.flags = flags;
    this.description = description;
    const [, short, long = ""] = /^(?:-(\w), )?--([\w-]+)/.exec(flags) ?? [];
    this.short = short;
    this.long = long;
    this.takesValue = flags.includes("<");
    this.negated = long.startsWith("no-");
    const words = (this.negated ? long.slice(3) : long).split("-");
    const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
    this.member = words.map((word, index) => (index === 0 ? word : capital(word))).join("");
    if (this.negated) this.defaultValue = true;
  }

  choices(allowed: readonly string[]): this {
    this.allowed = allowed;
    return this;
  }

  /** @param shown what the help says instead of the value */
  default(value: unknown, shown?: string): this {
    this.defaultValue = value;
    this.defaultShown = shown;
    return this;
  }

  argParser(parser: (text: string) => unknown): this {
    this.parser = parser;
    return this;
  }
}

export interface Argument {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  readonly variadic: boolean;
}

export type Values = readonly (string | readonly string[] | undefined)[];
// A command knows the types of its own arguments and flags: they follow from what it declares.
type Action = (...given: never[]) => void | Promise<void>;

/**
 * A command as it declares itself, with commander's own words. A plain command line is read
 * from this alone (parse-quickly.ts); help, and the complaint about any other line, are
 * commander's (commander.ts), which is then loaded: that takes longer than all the rest of a
 * short command.
 */
export class Command {
  readonly name: string;
  readonly options: Option[] = [];
  readonly arguments: Argument[] = [];
  summary = "";
  examples = "";
  /** Whether options behind the first argument belong to the arguments. */
  passesThrough = false;
  everything = false;
  /** `-h` is another option's with some. */
  helpFlags = "-h, --help";
  perform: Action = () => {};
  private allFlags: object = {};
  private group: string | undefined;

  constructor(name: string) {
    this.name = name;
  }

  description(text: string): this {
    this.summary = text;
    return this;
  }

  argument(name: string, description: string): this {
    this.arguments.push({
      name,
      description,
      required: name.startsWith("<"),
      variadic: name.includes("..."),
    });
    return this;
  }

  option(flags: string, description: string): this;
  option(flags: string, description: string, defaultValue: string | boolean): this;
  option<T>(
    flags: string,
    description: string,
    parser: (text: string, previous: T) => T,
    defaultValue: T,
  ): this;
  option(flags: string, description: string, second?: unknown, third?: unknown): this {
    const option = new Option(flags, description);
    if (typeof second === "function") option.parser = second as Parser;
    const value = typeof second === "function" ? third : second;
    if (value !== undefined) option.default(value);
    return this.addOption(option);
  }

  addOption(option: Option): this {
    option.group = this.group;
    this.options.push(option);
    return this;
  }

  /** Options that are declared from here on stand under this heading. */
  optionsGroup(heading: string): this {
    this.group = heading;
    return this;
  }

  /** All words are arguments, options or not. */
  takesEverything(): this {
    this.everything = true;
    return this;
  }

  passThroughOptions(): this {
    this.passesThrough = true;
    return this;
  }

  helpOption(flags: string, _description: string): this {
    this.helpFlags = flags;
    return this;
  }

  addHelpText(_position: "after", text: string): this {
    this.examples = text;
    return this;
  }

  action(perform: Action): this {
    this.perform = perform;
    return this;
  }

  /** Does what the command is for. @param globals options that stood before its name */
  async run(values: Values, flags: object, globals: object): Promise<void> {
    this.allFlags = { ...globals, ...flags };
    const given: unknown[] = [...values, flags, this];
    await this.perform(...(given as never[]));
  }

  /** The flags that the command was called with, and those of tsimg itself. */
  optsWithGlobals<T = Readonly<Record<string, unknown>>>(): T {
    return this.allFlags as T;
  }
}
