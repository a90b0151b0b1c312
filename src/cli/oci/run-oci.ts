import { TsimgError } from "../../sys/error.ts";
import { type FlagNames, flagOf, isSet, type OciLine, readFlags } from "./arguments.ts";
import type { OciGlobals } from "./globals.ts";
import { logError, type OciLog } from "./log.ts";
import * as commands from "./subcommands.ts";

type Perform = (globals: OciGlobals, line: OciLine) => Promise<number> | number;

const GLOBALS: FlagNames = {
  "root=": [],
  "log=": [],
  "log-format=": [],
  debug: [],
  "systemd-cgroup": [],
  "rootless=": [],
  "criu=": [],
  version: ["v"],
  help: ["h"],
};

const START: FlagNames = {
  "bundle=": ["b"],
  "console-socket=": [],
  "pid-file=": [],
  "preserve-fds=": [],
  "no-pivot": [],
  "no-new-keyring": [],
};

const EXEC: FlagNames = {
  "console-socket=": [],
  "pid-file=": [],
  "process=": ["p"],
  "cwd=": [],
  "env=": ["e"],
  "user=": ["u"],
  tty: ["t"],
  detach: ["d"],
  "preserve-fds=": [],
  "cap=": ["c"],
  "no-new-privs": [],
  "cgroup=": [],
  "ignore-paused": [],
};

const COMMANDS: Readonly<Record<string, { readonly flags: FlagNames; readonly perform: Perform }>> =
  {
    create: { flags: START, perform: commands.create },
    run: { flags: { ...START, detach: ["d"], keep: [] }, perform: commands.run },
    start: { flags: {}, perform: commands.start },
    state: { flags: {}, perform: commands.state },
    kill: { flags: { all: ["a"] }, perform: commands.kill },
    delete: { flags: { force: ["f"] }, perform: commands.remove },
    exec: { flags: EXEC, perform: commands.exec },
    list: { flags: { "format=": ["f"], quiet: ["q"] }, perform: commands.list },
    ps: { flags: { "format=": ["f"] }, perform: commands.ps },
    pause: { flags: {}, perform: commands.pause },
    resume: { flags: {}, perform: commands.resume },
    update: { flags: { "resources=": ["r"] }, perform: commands.update },
    features: { flags: {}, perform: commands.features },
  };

function help(): number {
  const flags = (names: FlagNames) =>
    Object.keys(names).map((name) => ` [--${name.replace(/=$/, " …")}]`);
  const lines = Object.entries(COMMANDS).map(([name, { flags: own }]) => {
    const words = name === "list" || name === "features" ? [] : ["ID"];
    return wrapped([`  ${name}`, ...flags(own), ...words.map((word) => ` ${word}`)]);
  });
  process.stdout.write(
    `Usage: tsimg oci [options] <command> [options] [ID]\n\nan OCI runtime, as runc is one\n
Options:\n${wrapped([" ", ...flags(GLOBALS)])}\n
Commands:\n${lines.join("\n")}\n
Examples:
  $ tsimg oci create --bundle ./bundle web
  $ tsimg oci start web
  $ tsimg oci state web\n`,
  );
  return 0;
}

/** Words in lines of a terminal's width; further lines are indented. */
function wrapped(words: readonly string[]): string {
  let length = 0;
  return words
    .map((word) => {
      const fits = length + word.length <= 80;
      length = fits ? length + word.length : word.length + 5;
      return fits ? word : `\n     ${word}`;
    })
    .join("");
}

/** Runs a command line as runc's, and answers its exit status. */
export async function runOci(words: readonly string[]): Promise<number> {
  let log: OciLog = { path: undefined, format: "text" };
  try {
    const line = readFlags(words, GLOBALS);
    const format = flagOf(line, "log-format") === "json" ? "json" : "text";
    log = { path: flagOf(line, "log"), format };
    const [name, ...rest] = line.words;
    if (isSet(line, "version") || name === "--version") return commands.version();
    const command =
      name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (isSet(line, "help")) return help();
    if (name === undefined || command === undefined) {
      const known = Object.keys(COMMANDS).join(", ");
      throw new TsimgError("ERR_USAGE", `unknown command "${name ?? ""}"`, {
        hint: `known: ${known}`,
      });
    }
    const globals: OciGlobals = {
      root: flagOf(line, "root") ?? "/run/tsimg-oci",
      systemdCgroup: isSet(line, "systemd-cgroup"),
      log,
    };
    return await command.perform(globals, readFlags(rest, command.flags));
  } catch (error) {
    logError(log, error);
    return 1;
  }
}
