import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Mount, Namespace, Process, Spec } from "../../oci/runtime-spec.ts";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { programPath, requirePrograms } from "../../sys/run-program.ts";
import { SUBPATH } from "../mounts/mount-point.ts";
import type { RunFlags } from "../run-flags.ts";
import type { Modes } from "../spec/modes.ts";
import type { ForeignCall } from "../tape/compile-foreign.ts";
import { statusOfFailure } from "./foreign-status.ts";

/*
 * An installed OCI runtime in place of our launcher's own steps. The launcher still stands
 * over it: it mounts the root where only the runtime sees it, connects the network, passes
 * signals and streams on and records the end.
 *
 *     <state>/rootfs/              where the root is mounted
 *             foreign/config.json  the spec as the runtime gets it
 *             foreign/root/        what the runtime keeps of its containers: of this one
 *             foreign/pid          the container's own first process
 *             foreign/log          what the runtime says of a start that failed
 */

/** How long a runtime that was just started may take to make its container, in ms. */
const PATIENCE = 10_000;
const POLL = 10;

/**
 * The program of `--runtime`; null for our own.
 *
 * @throws TsimgError ERR_USAGE for one that isn't there, and for what can't go with one
 */
export function chooseRuntime(
  flags: RunFlags,
  modes: Pick<Modes, "ipc" | "user">,
  mounts: readonly Mount[],
): string | null {
  const { runtime: name } = flags;
  if (name === undefined || name === "" || name === "tsimg") return null;
  const other = [
    ["--health-cmd", flags.healthCmd !== undefined],
    ["--ipc container:", modes.ipc.kind === "container"],
    ["a user namespace", modes.user.kind !== "host"],
    ["volume-subpath", mounts.some(isPart)],
  ] as const;
  const found = other.find(([, given]) => given);
  if (found !== undefined)
    throw new TsimgError("ERR_USAGE", `${found[0]} can't go with --runtime`, {
      hint: "leave one of them out",
    });
  const program = name.includes("/") ? resolve(name) : programPath(name);
  if (program !== undefined && isExecutable(program)) return program;
  throw new TsimgError("ERR_USAGE", `unknown or invalid runtime name: ${name.slice(0, 256)}`, {
    hint: "name an OCI runtime that is installed, such as runc or crun, or its path",
  });
}

/** Of a volume: another runtime would follow links that containers put there to the host. */
function isPart({ options }: Mount): boolean {
  return options.some((option) => option.startsWith(SUBPATH));
}

/** Where the container has our init process, as docker has its own at /sbin/docker-init. */
const INIT = "/run/tsimg-init";

/**
 * Writes the runtime's bundle and answers how it is called.
 *
 * @param init our program that serves as the container's first process, with `--init`
 */
export function foreignCall(
  program: string,
  state: string,
  id: string,
  given: Spec,
  init: string | undefined,
): ForeignCall {
  const spec = init === undefined ? given : withInit(given, init);
  if (spec.mounts.some(isPart))
    throw new TsimgError("ERR_USAGE", "volume-subpath can't go with --runtime");
  const { bundle, root, pidFile, log } = placesOf(state);
  for (const file of [pidFile, log]) rmSync(file, { force: true });
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const isNewNetwork = ({ type, path }: Namespace) => type === "network" && path === undefined;
  const isOwn = spec.linux.namespaces.some(isNewNetwork);
  // It finds itself in the one that the launcher has made and connected.
  const namespaces = spec.linux.namespaces.filter((namespace) => !isNewNetwork(namespace));
  // Nor would it set anything there, taking it for the host's.
  const sysctls = Object.entries(spec.linux.sysctl ?? {});
  const others = sysctls.filter(([name]) => !(isOwn && isOfNetwork(name)));
  const cgroupsPath = spec.linux.cgroupsPath ?? `/tsimg/${id}`;
  const linux = { ...spec.linux, namespaces, cgroupsPath, sysctl: Object.fromEntries(others) };
  writeFileSync(join(bundle, "config.json"), JSON.stringify({ ...spec, linux }));
  const start = ["run", "--bundle", bundle, "--pid-file", pidFile, id];
  return {
    run: [program, "--root", root, "--log", log, "--log-format", "json", ...start],
    log,
    pidFile,
    remove: [program, "--root", root, "delete", "--force", id],
    sysctls: Object.fromEntries(sysctls.filter((entry) => !others.includes(entry))),
  };
}

function withInit({ process, mounts, ...spec }: Spec, init: string): Spec {
  const options = ["bind", "ro", "nosuid", "nodev"];
  const mount = { destination: INIT, type: "bind", source: init, options };
  const args = [INIT, "--", ...process.args];
  return { ...spec, process: { ...process, args }, mounts: [...mounts, mount] };
}

/** Ends what a runtime has left of a container whose launcher was killed. */
export function removeForeign(program: string, state: string, id: string): void {
  const { root } = placesOf(state);
  const { spawnSync } = globalThis.process.getBuiltinModule("node:child_process");
  spawnSync(program, ["--root", root, "delete", "--force", id], { stdio: "ignore" });
}

/** The first process of the container itself. @throws TsimgError ERR_STATE when there is none */
export function foreignProcess(state: string, name: string): number {
  const { pidFile } = placesOf(state);
  for (const end = Date.now() + PATIENCE; Date.now() < end; ) {
    const text = tolerating(["ENOENT"], () => readFileSync(pidFile, "latin1")) ?? "";
    if (/^\d+\s*$/.test(text)) return Number(text);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL);
  }
  throw new TsimgError("ERR_STATE", `container '${name}' is not running yet`);
}

/**
 * Runs one more process in a container, by its runtime; answers its exit status.
 *
 * @param first the container's first process: the runtime knows nothing of the network
 *              namespace that it found itself in, and would leave the process in ours
 */
export function foreignExec(
  program: string,
  state: string,
  id: string,
  first: number,
  process: Process,
  file: string,
  streams: { readonly detach: boolean; readonly interactive: boolean },
): number {
  const { root } = placesOf(state);
  requirePrograms(["nsenter"]);
  writeFileSync(file, JSON.stringify(process), { mode: 0o600 });
  const how = streams.detach ? ["--detach"] : [];
  const log = `${file}.log`;
  const logged = ["--log", log, "--log-format", "json"];
  const argv = ["--root", root, ...logged, "exec", ...how, "--process", file, id];
  const input = streams.interactive ? "inherit" : "ignore";
  try {
    const within = [`--net=/proc/${first}/ns/net`, "--", program, ...argv];
    const stdio = [input, "inherit", "inherit"] as const;
    const { spawnSync } = globalThis.process.getBuiltinModule("node:child_process");
    const { status, error } = spawnSync("nsenter", within, { stdio: [...stdio] });
    if (error !== undefined) throw error;
    const said = tolerating(["ENOENT"], () => readFileSync(log, "utf8")) ?? "";
    return (status === 0 ? 0 : statusOfFailure(said, process.args[0] ?? "")) ?? status ?? 1;
  } finally {
    for (const path of [file, log]) rmSync(path, { force: true });
  }
}

function isOfNetwork(sysctl: string): boolean {
  return /^net[./]/.test(sysctl);
}

function placesOf(state: string) {
  const bundle = join(state, "foreign");
  const inside = (name: string) => join(bundle, name);
  return { bundle, root: inside("root"), pidFile: inside("pid"), log: inside("log") };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
