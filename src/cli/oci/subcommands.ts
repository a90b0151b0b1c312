import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { HOOK_NAMES } from "../../oci/parse-hooks.ts";
import { freeze, thaw } from "../../runtime/cgroup/freeze.ts";
import { processesIn } from "../../runtime/cgroup/group-files.ts";
import { parseSignal } from "../../runtime/container/signals.ts";
import { type CreateOptions, prepareOci } from "../../runtime/oci/create.ts";
import { deleteContainer, killAll } from "../../runtime/oci/delete.ts";
import { prepareOciExec } from "../../runtime/oci/exec.ts";
import { runHooks, runPoststart } from "../../runtime/oci/hooks.ts";
import {
  listContainers,
  type OciContainer,
  type OciState,
} from "../../runtime/oci/oci-container.ts";
import { updateOci } from "../../runtime/oci/update.ts";
import { storePaths } from "../../store/paths.ts";
import { errorCode } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { sleep } from "../../sys/sleep.ts";
import { VERSION } from "../version.ts";
import { flagOf, isSet, type OciLine } from "./arguments.ts";
import { containerOf, type OciGlobals } from "./globals.ts";
import { performTape } from "./perform-tape.ts";

/** Milliseconds between two looks whether the hooks in front of the program are done. */
const HOOKS_POLL = 5;

/** The version of the runtime spec that this follows. */
const SPEC_VERSION = "1.2.0";

export async function create(globals: OciGlobals, line: OciLine): Promise<number> {
  await launch(globals, line, "gate");
  return 0;
}

export async function run(globals: OciGlobals, line: OciLine): Promise<number> {
  const container = containerOf(globals, line);
  if (isSet(line, "detach")) {
    await create(globals, line);
    return start(globals, line);
  }
  const status = await launch(globals, line, "stay");
  if (!isSet(line, "keep")) await deleteContainer(container, true);
  return status;
}

export async function start(globals: OciGlobals, line: OciLine): Promise<number> {
  const container = containerOf(globals, line);
  const { spec } = container.record();
  container.mustAllow("start", "created");
  container.openGate();
  if (spec.hooks?.poststart === undefined) return 0;
  while (container.atGate) await sleep(HOOKS_POLL);
  runHooks(spec, "poststart", container.state());
  return 0;
}

export function state(globals: OciGlobals, line: OciLine): number {
  process.stdout.write(`${JSON.stringify(containerOf(globals, line).state(), null, 2)}\n`);
  return 0;
}

export function kill(globals: OciGlobals, line: OciLine): number {
  const container = containerOf(globals, line);
  const signal = parseSignal(line.words[1] ?? "TERM");
  container.record();
  if (isSet(line, "all") || line.words.includes("--all")) {
    killAll(container, signal);
    return 0;
  }
  // In runc's words, by which its callers know that there is nobody left to kill.
  if (container.status() === "stopped")
    throw new TsimgError("ERR_STATE", `container not running: '${container.id}'`);
  container.mustAllow("signal", "created", "running", "paused");
  try {
    process.kill(container.started?.pid ?? 0, signal);
  } catch (error) {
    if (errorCode(error) !== "ESRCH") throw error;
  }
  return 0;
}

export async function remove(globals: OciGlobals, line: OciLine): Promise<number> {
  const container = containerOf(globals, line);
  const force = isSet(line, "force");
  try {
    await deleteContainer(container, force);
  } catch (error) {
    const missing = error instanceof TsimgError && error.code === "ERR_NO_SUCH_CONTAINER";
    if (!missing || !force) throw error;
  }
  return 0;
}

export async function exec(globals: OciGlobals, line: OciLine): Promise<number> {
  const container = containerOf(globals, line);
  const flag = (name: string) => flagOf(line, name);
  const options = {
    args: line.words.slice(1),
    env: line.flags.get("env") ?? [],
    tty: isSet(line, "tty"),
    detach: isSet(line, "detach"),
    processFile: flag("process"),
    cwd: flag("cwd"),
    user: flag("user"),
    consoleSocket: flag("console-socket"),
    pidFile: flag("pid-file"),
  };
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
  const tape = await prepareOciExec(container, given as never, storePaths().filters);
  return performTape(tape);
}

export function list(globals: OciGlobals, line: OciLine): number {
  const states = listContainers(globals.root).flatMap(stateIfThere);
  if (flagOf(line, "format") === "json") process.stdout.write(`${JSON.stringify(states)}\n`);
  else if (isSet(line, "quiet")) process.stdout.write(states.map(({ id }) => `${id}\n`).join(""));
  else {
    const rows = states.map((one) => [one.id, `${one.pid}`, one.status, one.bundle, one.created]);
    process.stdout.write(columns([["ID", "PID", "STATUS", "BUNDLE", "CREATED"], ...rows]));
  }
  return 0;
}

/** One that was deleted since its directory was seen is left out. */
function stateIfThere(container: OciContainer): readonly OciState[] {
  try {
    return [container.state()];
  } catch (error) {
    if (error instanceof TsimgError && error.code === "ERR_NO_SUCH_CONTAINER") return [];
    throw error;
  }
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  );
  const lines = rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  "));
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

export function ps(globals: OciGlobals, line: OciLine): number {
  const pids = processesIn(containerOf(globals, line).record().cgroups);
  const table = ["ps", "-o", "pid,ppid,user,stat,time,args", "-p", pids.join(",")];
  if (flagOf(line, "format") === "json") process.stdout.write(`${JSON.stringify(pids)}\n`);
  else if (pids.length > 0) spawnSync(table[0] ?? "", table.slice(1), { stdio: "inherit" });
  return 0;
}

export async function pause(globals: OciGlobals, line: OciLine): Promise<number> {
  const container = containerOf(globals, line);
  container.mustAllow("pause", "created", "running");
  await freeze(container.record().cgroups, new AbortController().signal);
  return 0;
}

export function resume(globals: OciGlobals, line: OciLine): number {
  const container = containerOf(globals, line);
  container.mustAllow("resume", "paused");
  thaw(container.record().cgroups);
  return 0;
}

export function update(globals: OciGlobals, line: OciLine): number {
  const path = flagOf(line, "resources") ?? "-";
  const text = readFileSync(path === "-" ? 0 : path, "utf8");
  updateOci(containerOf(globals, line), text);
  return 0;
}

export function version(): number {
  process.stdout.write(`tsimg-runtime version ${VERSION}\nspec: ${SPEC_VERSION}\n`);
  return 0;
}

export function features(): number {
  const namespaces = ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"];
  const linux = {
    namespaces,
    cgroup: { v1: true, v2: true, systemd: false, systemdUser: false, rdma: true },
    seccomp: { enabled: true },
    apparmor: { enabled: true },
    selinux: { enabled: false },
    mountExtensions: { idmap: { enabled: true } },
  };
  const all = { ociVersionMin: "1.0.0", ociVersionMax: SPEC_VERSION, hooks: HOOK_NAMES, linux };
  process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  return 0;
}

/** Creates a container and answers the launcher's status. @throws TsimgError when it failed */
async function launch(
  globals: OciGlobals,
  line: OciLine,
  how: CreateOptions["start"],
): Promise<number> {
  const container = containerOf(globals, line);
  const consoleSocket = flagOf(line, "console-socket");
  const pidFile = flagOf(line, "pid-file");
  const bundle = flagOf(line, "bundle") ?? ".";
  const options: CreateOptions = {
    bundle,
    start: how,
    systemdCgroup: globals.systemdCgroup,
    ...(consoleSocket === undefined ? {} : { consoleSocket }),
    ...(pidFile === undefined ? {} : { pidFile }),
  };
  const tape = await prepareOci(container, options, storePaths().filters);
  const ended = performTape(tape);
  if (how === "stay") await runPoststart(container, ended);
  const status = await ended;
  return container.started === undefined ? await fail(container) : status;
}

/** The launcher has said why on standard error; callers look into the log. */
async function fail(container: OciContainer): Promise<never> {
  const why = container.exit?.error ?? "the launcher could not start";
  await deleteContainer(container, true);
  throw new TsimgError("ERR_LAUNCH", why);
}
