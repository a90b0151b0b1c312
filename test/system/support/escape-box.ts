import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import type { Spec } from "../../../src/oci/runtime-spec.ts";
import { type CgroupPlan, planCgroup } from "../../../src/runtime/cgroup/plan.ts";
import { createSpec } from "../../../src/runtime/create-spec.ts";
import { readHost } from "../../../src/runtime/host-facts.ts";
import { limitsOf } from "../../../src/runtime/limits.ts";
import { writeNetworkFiles } from "../../../src/runtime/network/network-files.ts";
import { parseNetworkFlags } from "../../../src/runtime/network/network-request.ts";
import type { RunFlags } from "../../../src/runtime/run-flags.ts";
import { assembleSeccomp } from "../../../src/runtime/seccomp/assemble.ts";
import { compileTape } from "../../../src/runtime/tape/compile.ts";
import { encodeTape } from "../../../src/runtime/tape/encode.ts";
import type { LaunchRequest } from "../../../src/runtime/tape/request.ts";
import type { Tape } from "../../../src/runtime/tape/tape.ts";
import { tolerating } from "../../../src/sys/errno.ts";
import { NO_FLAGS } from "../../unit/runtime/no-flags.ts";
import { Box, type Finished } from "../launcher-box.ts";
import { patience } from "./slowness.ts";

export interface Attack {
  readonly args: readonly string[];
  readonly flags?: Partial<RunFlags>;
  /** Bind mounts, of directories of the host: source and destination. */
  readonly binds?: readonly (readonly [source: string, destination: string])[];
  /** After the binds, as the spec has them. */
  readonly mounts?: Spec["mounts"];
  readonly sysctl?: Readonly<Record<string, string>>;
  /** As the image says it, which is not looked at before the launch. */
  readonly workdir?: string;
  /** What the tape is made into before it is launched. */
  readonly change?: ((tape: Tape) => Tape) | undefined;
  /** Instead of the box's own. */
  readonly launcher?: string;
}

/** It would stand in for what is weakened; what it denies by itself is another test's. */
const NO_APPARMOR = { enabled: false, loaded: new Set<string>(), loadable: false };

/**
 * A box whose containers have what `tsimg run` gives them: its capabilities, seccomp filter,
 * masks, mounts, devices and control groups, not a choice of the test.
 */
export class EscapeBox extends Box {
  override cgroup(): CgroupPlan {
    const { cgroups } = readHost(NO_FLAGS);
    const path = `/tsimg-test-${this.id}`;
    return planCgroup({ ...cgroups, path, resources: limitsOf(NO_FLAGS) });
  }

  override [Symbol.dispose](): void {
    for (const group of this.cgroup().removals) removeGroup(group);
    super[Symbol.dispose]();
  }

  launch(attack: Attack): LaunchRequest {
    const flags = { ...NO_FLAGS, ...attack.flags };
    const { facts } = readHost(flags);
    const network = parseNetworkFlags({ ...flags, network: ["none"] });
    const spec = createSpec({
      config: { User: "", Env: ["PATH=/bin"], Entrypoint: [], Cmd: [], WorkingDir: "/" },
      flags: { ...flags, command: attack.args },
      containerId: this.id.padEnd(64, "0"),
      rootfs: this.root,
      accounts: {},
      envFiles: [],
      network,
      filesDirectory: this.state,
      mounts: [],
      host: { ...facts, appArmor: NO_APPARMOR },
    });
    writeNetworkFiles(this.state, spec.hostname ?? "", network, []);
    const { seccomp } = spec.linux;
    const binds = (attack.binds ?? []).map(([source, destination]) => {
      return { destination, type: "bind", source, options: ["rbind", "rprivate"] };
    });
    return {
      spec: {
        ...spec,
        process: { ...spec.process, cwd: attack.workdir ?? "/" },
        mounts: combined(spec.mounts, [...binds, ...(attack.mounts ?? [])]),
        linux: { ...spec.linux, ...(attack.sysctl && { sysctl: attack.sysctl }) },
      },
      rootMounts: [{ type: "bind", source: this.root, options: ["rbind"], api: "mount" }],
      cgroup: this.cgroup(),
      stateDirectory: this.state,
      io: { kind: "foreground", tty: flags.tty, interactive: flags.interactive },
      removeAfter: [],
      init: flags.init,
      ...(seccomp === undefined ? {} : { seccompFilter: assembleSeccomp(seccomp, facts.arch) }),
    };
  }

  /** Writes the attacked container's tape. @returns the launcher's command line */
  prepare(attack: Attack): readonly [string, string] {
    mkdirSync(this.state, { recursive: true });
    const tape = compileTape(this.launch(attack));
    const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
    writeFileSync(this.tape, encodeTape(attack.change?.(tape) ?? tape, machine));
    return [attack.launcher ?? this.launcher, this.tape];
  }

  attack(attack: Attack, input = ""): Finished {
    const [launcher, tape] = this.prepare(attack);
    return spawnSync(launcher, [tape], { encoding: "utf8", input, timeout: patience(30_000) });
  }

  /** What a script prints in the container, both streams. */
  says(script: string, attack: Omit<Attack, "args"> = {}): string {
    const { stdout, stderr } = this.attack({ ...attack, args: ["sh", "-c", `(${script}) 2>&1`] });
    return stdout + stderr;
  }
}

/** Where a launcher was killed: its container's last processes may be about to end. */
function removeGroup(directory: string): void {
  const end = Date.now() + patience(2000);
  for (let tries = 0; existsSync(directory); tries++) {
    if (Date.now() > end) throw new Error(`"${directory}" stays in use`);
    if (tries > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    tolerating(["EBUSY"], () => rmdirSync(directory));
  }
}

/** As `tsimg run -v`: what is mounted on a default mount's place takes it. */
function combined(defaults: Spec["mounts"], chosen: Spec["mounts"]): Spec["mounts"] {
  const taken = new Set(chosen.map(({ destination }) => destination));
  const kept = defaults.filter(({ destination }) => {
    return !taken.has(destination) && !(taken.has("/dev") && destination.startsWith("/dev/"));
  });
  return [...kept, ...chosen];
}
