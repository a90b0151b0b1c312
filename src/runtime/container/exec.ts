import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Process, Spec } from "../../oci/runtime-spec.ts";
import { randomHex } from "../../sys/random.ts";
import { inUserNamespace } from "../../sys/user-namespace.ts";
import { chooseCapabilities } from "../capabilities.ts";
import { workingDirectory } from "../command.ts";
import { buildEnvironment, type EnvFile } from "../environment.ts";
import { ownCapabilities } from "../host-facts.ts";
import { machineArch } from "../machine-arch.ts";
import { compileExec, type ExecRequest } from "../tape/compile-exec.ts";
import { encodeTape } from "../tape/encode.ts";
import { explainStep } from "../tape/explain.ts";
import type { LaunchIo } from "../tape/request.ts";
import type { Tape } from "../tape/tape.ts";
import { type Accounts, resolveUser } from "../user.ts";
import type { Container } from "./container.ts";
import { parseDetachKeys } from "./detach-keys.ts";
import { namespacesOf } from "./exec-namespaces.ts";
import { filterOf } from "./tape-image.ts";

/** What a user asks of `tsimg exec`, as given. */
export interface ExecFlags {
  readonly detach: boolean;
  readonly interactive: boolean;
  readonly tty: boolean;
  readonly privileged: boolean;
  readonly user?: string;
  readonly workdir?: string;
  readonly env: readonly string[];
  readonly detachKeys?: string;
  readonly command: readonly string[];
}

/**
 * The process that `exec` adds: the container's own, with another command, and what the flags
 * say besides.
 *
 * @param accounts read when the flags name a user
 * @throws TsimgError ERR_USAGE, ERR_CONFIG_INVALID
 */
export function execProcess(
  spec: Spec,
  flags: ExecFlags,
  envFiles: readonly EnvFile[],
  accounts: () => Accounts,
): Process {
  const own = spec.process;
  const resolved = flags.user === undefined ? undefined : resolveUser(flags.user, accounts());
  const env = buildEnvironment({
    image: own.env.filter((entry) => resolved === undefined || !entry.startsWith("HOME=")),
    files: envFiles,
    flags: flags.env,
    caller: process.env,
    hostname: spec.hostname ?? "",
    home: resolved?.home ?? "/",
    tty: flags.tty,
  });
  const user = resolved?.user ?? own.user;
  const bounding = flags.privileged ? allCapabilities() : (own.capabilities?.bounding ?? []);
  const held = user.uid === 0 ? bounding : [];
  const { apparmorProfile, ...confined } = own;
  const profile = flags.privileged || apparmorProfile === undefined ? {} : { apparmorProfile };
  return {
    ...confined,
    ...profile,
    terminal: flags.tty,
    user,
    args: flags.command,
    env,
    cwd: workingDirectory(flags.workdir, own.cwd),
    capabilities: {
      bounding,
      effective: held,
      permitted: held,
      inheritable: [],
      ambient: [],
    },
  };
}

function allCapabilities(): readonly string[] {
  const wish = { privileged: true, add: [], drop: [], devicesLimited: true };
  return chooseCapabilities({ ...wish, available: ownCapabilities() });
}

/**
 * Compiles the tape of an `exec`.
 *
 * @param target the container's first process
 * @param path where the tape will be; it removes itself
 */
export async function execTape(
  { options }: Pick<Container, "options">,
  spec: Spec,
  process: Process,
  target: ExecRequest["target"],
  io: LaunchIo,
  {
    filters,
    privileged,
    path,
    exitRecord,
  }: {
    readonly filters: string;
    readonly privileged: boolean;
    readonly path: string;
    readonly exitRecord: string;
  },
): Promise<Tape> {
  const seccomp = privileged ? undefined : spec.linux.seccomp;
  const filter = await filterOf(seccomp, machineArch(), filters);
  return compileExec({
    process,
    target,
    namespaces: namespacesOf(spec),
    procsFiles: options.cgroups.map((group) => join(group, "cgroup.procs")),
    seccomp,
    ...(filter === undefined ? {} : { seccompFilter: filter }),
    io,
    unprivileged: inUserNamespace(),
    exitRecord,
    removeAfter: [path],
  });
}

/** A place for a tape in the container's state directory. @param exec its ID */
export function execTapePath(state: string, exec = randomHex(64)): string {
  const directory = join(state, "exec");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return join(directory, exec);
}

export function writeExecTape(path: string, tape: Tape, explained: boolean): void {
  const machine = machineArch() === "arm64" ? "aarch64" : "x86_64";
  const image = encodeTape(tape, machine, explained ? explainStep : undefined);
  writeFileSync(path, image, { mode: 0o600 });
}

/** How the streams of an `exec` are connected. */
export function execIo(flags: ExecFlags, container: Container): LaunchIo {
  const { tty, interactive } = flags;
  if (flags.detach) return { kind: "detached", tty, interactive: false };
  const keys = tty ? parseDetachKeys(flags.detachKeys ?? container.options.detachKeys) : undefined;
  return {
    kind: "foreground",
    tty,
    interactive,
    ...(keys === undefined ? {} : { detachKeys: keys }),
  };
}
