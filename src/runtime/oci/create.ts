import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, posix, resolve } from "node:path";
import { parseRuntimeSpec } from "../../oci/parse-runtime-spec.ts";
import type { Spec } from "../../oci/runtime-spec.ts";
import { errorCode } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { planCgroup } from "../cgroup/plan.ts";
import { filterOf } from "../container/tape-image.ts";
import { withHarmlessDevices } from "../devices.ts";
import { readCgroupFacts } from "../host-facts.ts";
import { machineArch } from "../machine-arch.ts";
import { compileTape } from "../tape/compile.ts";
import { encodeTape } from "../tape/encode.ts";
import type { LaunchRequest } from "../tape/request.ts";
import type { OciContainer } from "./oci-container.ts";
import { ownSysctls } from "./own-sysctls.ts";

export interface CreateOptions {
  readonly bundle: string;
  /** Of a unix socket that wants the terminal's master. */
  readonly consoleSocket?: string;
  readonly pidFile?: string;
  /**
   * `gate`: it waits to be started, and is left to the caller. `stay`: the launcher waits for
   * its end.
   */
  readonly start: "gate" | "stay";
  /** Names of cgroups are systemd's: `slice:prefix:name`. */
  readonly systemdCgroup: boolean;
}

/** The spec of a bundle, with its root's path absolute. @throws TsimgError ERR_CONFIG_INVALID */
export function readBundle(bundle: string): Spec {
  const path = join(bundle, "config.json");
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new TsimgError("ERR_CONFIG_INVALID", `can't read '${path}': ${errorCode(cause)}`, {
      cause,
      hint: "name the directory of an OCI bundle with --bundle",
    });
  }
  const spec = parseRuntimeSpec(bytes);
  const root = resolve(bundle, spec.root.path);
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory())
    throw new TsimgError("ERR_CONFIG_INVALID", `config.json: root.path '${root}' is no directory`);
  return { ...spec, root: { ...spec.root, path: root } };
}

/**
 * Makes what a launcher needs to create a container of a bundle, and answers the tape's path.
 *
 * @throws TsimgError ERR_NAME_IN_USE, ERR_CONFIG_INVALID, ERR_LAUNCH; nothing is then left
 */
export async function prepareOci(
  container: OciContainer,
  options: CreateOptions,
  filters: string,
): Promise<string> {
  const spec = readBundle(options.bundle);
  const { directory, id } = container;
  claim(directory, id);
  try {
    const request = requestOf(container, spec, options);
    container.write({
      id,
      bundle: resolve(options.bundle),
      created: new Date().toISOString(),
      cgroups: request.cgroup.removals,
      spec: request.spec,
    });
    const arch = machineArch();
    const filter = await filterOf(spec.linux.seccomp, arch, filters);
    const whole = filter === undefined ? request : { ...request, seccompFilter: filter };
    const tape = join(directory, "tape");
    const machine = arch === "arm64" ? "aarch64" : "x86_64";
    writeFileSync(tape, encodeTape(compileTape(whole), machine), { mode: 0o600 });
    return tape;
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

function claim(directory: string, id: string): void {
  mkdirSync(join(directory, ".."), { recursive: true, mode: 0o700 });
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (cause) {
    if (errorCode(cause) !== "EEXIST") throw cause;
    throw new TsimgError("ERR_NAME_IN_USE", `container with given ID already exists: '${id}'`, {
      cause,
    });
  }
}

function requestOf(container: OciContainer, spec: Spec, options: CreateOptions): LaunchRequest {
  const { start, consoleSocket, pidFile } = options;
  const { cgroupsPath } = spec.linux;
  const devices = withHarmlessDevices(spec.linux.resources?.devices ?? []);
  const resources = { ...spec.linux.resources, devices };
  const path = groupPath(cgroupsPath, container.id, options.systemdCgroup);
  const tty = spec.process.terminal === true;
  if (tty && start === "gate" && consoleSocket === undefined)
    throw new TsimgError("ERR_USAGE", "a container with a terminal needs --console-socket");
  return {
    spec: { ...spec, linux: { ...spec.linux, cgroupsPath: path, sysctl: ownSysctls(spec) } },
    rootMounts: [],
    cgroup: planCgroup({ ...readCgroupFacts(path, true), path, resources, joinsAll: true }),
    stateDirectory: container.directory,
    io:
      tty && start === "stay" && consoleSocket === undefined
        ? { kind: "foreground", tty, interactive: true }
        : { kind: "direct", tty, ...(consoleSocket === undefined ? {} : { consoleSocket }) },
    removeAfter: [],
    init: false,
    hooked: { id: container.id, bundle: resolve(options.bundle) },
    ...(start === "gate" ? { gate: container.gate } : {}),
    ...(pidFile === undefined ? {} : { pidFile: resolve(pidFile) }),
  };
}

/** @see runc's documentation of systemd cgroups: `machine.slice:libpod:ID` is a scope's place */
export function groupPath(path: string | undefined, id: string, systemd: boolean): string {
  if (path === undefined || path === "") return `/tsimg/${id}`;
  const [slice, prefix, name] = path.split(":");
  const given =
    systemd && prefix !== undefined && name !== undefined
      ? `${slice === "" ? "system.slice" : slice}/${prefix === "" ? name : `${prefix}-${name}`}.scope`
      : path;
  // Below the root of the groups, whatever names it has.
  const tidy = posix.normalize(`/${given}`).replace(/(?<=.)\/$/, "");
  // All that is in the container's group dies with it.
  if (tidy !== "/") return tidy;
  throw new TsimgError(
    "ERR_CONFIG_INVALID",
    `config.json: linux.cgroupsPath "${path}" is the root`,
    {
      hint: "give the container a cgroup of its own",
    },
  );
}
