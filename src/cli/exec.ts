import { readFileSync } from "node:fs";
import { type App, builtProgram } from "../app.ts";
import type { Container } from "../runtime/container/container.ts";
import {
  type ExecFlags,
  execIo,
  execProcess,
  execTape,
  execTapePath,
  writeExecTape,
} from "../runtime/container/exec.ts";
import { execEnd, execRecord } from "../runtime/container/exec-records.ts";
import { firstProcess } from "../runtime/container/first-process.ts";
import { foreignExec } from "../runtime/container/foreign-runtime.ts";
import { launcherEnvironment } from "../runtime/container/launcher-environment.ts";
import { readSpec } from "../runtime/container/read-spec.ts";
import type { Accounts } from "../runtime/user.ts";
import { become } from "../sys/become.ts";
import { TsimgError } from "../sys/error.ts";
import { randomHex } from "../sys/random.ts";
import { Command } from "./command.ts";
import { openApp } from "./globals.ts";
import { complain } from "./output/print.ts";
import { requireRoot } from "./require-root.ts";
import { each, NONE } from "./run-flags/each.ts";

interface Flags extends Omit<ExecFlags, "command"> {
  readonly envFile: readonly string[];
  readonly explain?: true;
}

const EXAMPLES = `
Examples:
  $ tsimg exec -it web sh
  $ tsimg exec --user nobody web id
  $ tsimg exec -d web touch /tmp/flag
`;

/** `tsimg exec`: one more process in a container, with no more rights than its first. */
export function command(): Command {
  return new Command("exec")
    .description("run a command in a container that runs")
    .argument("<container>", "name or ID")
    .argument("<command...>", "what to execute")
    .passThroughOptions()
    .option("-d, --detach", "run it in the background", false)
    .option("-i, --interactive", "connect standard input", false)
    .option("-t, --tty", "give it a terminal", false)
    .option("-u, --user <name|uid[:group|gid]>", "user to run as")
    .option("-w, --workdir <dir>", "working directory in the container")
    .option("-e, --env <name=value>", "set an environment variable", each, NONE)
    .option("--env-file <file>", "set environment variables from a file", each, NONE)
    .option("--privileged", "all capabilities, no system call filter", false)
    .option("--detach-keys <keys>", "typed to leave a terminal (ctrl-p,ctrl-q)")
    .option("--explain", "print every system call, then make them")
    .addHelpText("after", EXAMPLES)
    .action(async (name: string, words: string[], flags: Flags, command: Command) => {
      requireRoot("executing in a container");
      if (flags.tty && flags.interactive && !flags.detach && !process.stdin.isTTY)
        throw new TsimgError("ERR_USAGE", "the input device is not a TTY", {
          hint: "leave out -t",
        });
      const app = openApp(command);
      await execute(app, app.containers.existing(name), { ...flags, command: words });
    });
}

async function execute(app: App, container: Container, flags: Flags & ExecFlags): Promise<void> {
  const { row } = container;
  const state = app.containers.stateDirectory(row.id);
  const pid = firstProcess(app.containers, container);
  refusePaused(container);
  const spec = readSpec(state);
  const files = flags.envFile.map((path) => ({ path, text: readFileSync(path, "utf8") }));
  const added = processOf(() => execProcess(spec, flags, files, () => accountsOf(app, container)));
  const exec = randomHex(64);
  const path = execTapePath(state, exec);
  const line = `${flags.command[0] ?? ""} ${flags.command.slice(1).join(" ")}`;
  const tellStart = () => {
    for (const what of ["exec_create", "exec_start"])
      app.containers.tell(row, `${what}: ${line}`, { execID: exec });
  };
  const { runtime = null } = container.options;
  if (runtime !== null) {
    tellStart();
    const status = foreignExec(runtime, state, row.id, pid, added, path, flags);
    if (!flags.detach) app.containers.tell(row, "exec_die", execEnd(exec, status));
    process.exitCode = status;
    return;
  }
  const tape = await execTape(container, spec, added, { pid }, execIo(flags, container), {
    filters: app.paths.filters,
    privileged: flags.privileged,
    path,
    exitRecord: execRecord(state, exec),
  });
  if (flags.explain === true) {
    const { explainTape } = await import("../runtime/tape/explain.ts");
    complain(explainTape(tape));
  }
  tellStart();
  writeExecTape(path, tape, flags.explain === true);
  become(builtProgram("launcher"), ["tsimg-exec", path], launcherEnvironment(app.paths));
}

/** Docker's status for what can't be started as it is asked for, such as an unknown user's. */
function processOf<T>(describe: () => T): T {
  try {
    return describe();
  } catch (error) {
    if (!(error instanceof TsimgError)) throw error;
    const { message, hint, cause } = error;
    const options = { ...(hint === undefined ? {} : { hint }), cause };
    throw new TsimgError("ERR_NOT_EXECUTABLE", message, options);
  }
}

/** A process that joins the frozen cgroup would stop there, out of reach of any signal. */
function refusePaused({ row, state }: Container): void {
  if (state.status !== "running" || !state.paused) return;
  throw new TsimgError("ERR_STATE", `container '${row.name}' is paused`, {
    hint: `let it go on first with "tsimg unpause ${row.name}"`,
  });
}

/** As the image has them; what a container wrote to its own files is not asked. */
function accountsOf(app: App, { row }: Container): Accounts {
  const parent = app.snapshots.get(row.snapshot)?.parent ?? undefined;
  const texts = JSON.parse((parent && app.snapshots.accounts(parent)) ?? "{}") as {
    passwd?: string;
    group?: string;
  };
  return {
    ...(texts.passwd !== undefined && { passwd: Buffer.from(texts.passwd) }),
    ...(texts.group !== undefined && { group: Buffer.from(texts.group) }),
  };
}
