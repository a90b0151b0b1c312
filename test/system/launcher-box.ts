import { spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileLauncher } from "../../build/launcher.ts";
import type { Spec } from "../../src/oci/runtime-spec.ts";
import type { CgroupPlan } from "../../src/runtime/cgroup/plan.ts";
import { compileTape } from "../../src/runtime/tape/compile.ts";
import { encodeTape } from "../../src/runtime/tape/encode.ts";
import type { LaunchRequest } from "../../src/runtime/tape/request.ts";
import { patience } from "./support/slowness.ts";

const BUSYBOX = ["/bin/busybox", "/usr/bin/busybox"].find((path) => existsSync(path));
const APPLETS =
  "cat echo env hostname id kill ls mkdir printf pwd readlink sh sleep stty test trap true tty chmod touch seq find head";

export const canLaunch = process.getuid?.() === 0 && BUSYBOX !== undefined;
export const whyNot = "needs root and busybox-static";

/** Controllers of whichever cgroup interface is mounted where containers usually are. */
const CGROUP_ROOTS = ["memory", "pids", "freezer"]
  .map((name) => `/sys/fs/cgroup/${name}`)
  .filter((path) => existsSync(join(path, "tasks")));

export interface BoxOptions {
  readonly args: readonly string[];
  readonly process?: Partial<Spec["process"]>;
  readonly root?: Partial<Spec["root"]>;
  readonly mounts?: Spec["mounts"];
  readonly request?: Partial<LaunchRequest>;
  readonly memory?: string;
}

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A root of busybox in a directory of its own, and the launcher to run it with. */
export class Box implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), "tsimg-launcher-"));
  readonly root = join(this.directory, "root");
  readonly state = join(this.directory, "state");
  readonly launcher = join(this.directory, "bin", "launcher");
  readonly id = this.directory.slice(-6);
  readonly tape = join(this.directory, "tape");

  constructor(launcherDirectory: string) {
    this.launcher = join(launcherDirectory, "launcher");
    mkdirSync(join(this.root, "bin"), { recursive: true });
    mkdirSync(this.state);
    if (BUSYBOX === undefined) throw new Error(whyNot);
    cpSync(BUSYBOX, join(this.root, "bin/busybox"));
    for (const name of APPLETS.split(" ")) symlinkSync("busybox", join(this.root, "bin", name));
  }

  [Symbol.dispose](): void {
    for (const directory of this.cgroup().removals) {
      if (existsSync(directory)) spawnSync("rmdir", [directory]);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  cgroup(memory?: string): CgroupPlan {
    const own = CGROUP_ROOTS.map((root) => `${root}/tsimg-test-${this.id}`);
    const limited = own.find((path) => path.includes("/memory/"));
    return {
      directories: own,
      writes:
        memory === undefined || limited === undefined
          ? []
          : [
              {
                file: `${limited}/memory.limit_in_bytes`,
                value: memory,
                why: "--memory",
                optional: false,
              },
            ],
      procsFiles: own.map((path) => `${path}/cgroup.procs`),
      removals: own,
      ...(limited === undefined ? {} : { oomFile: `${limited}/memory.oom_control` }),
    };
  }

  request(options: BoxOptions): LaunchRequest {
    return {
      spec: {
        ociVersion: "1.2.0",
        root: { path: this.root, ...options.root },
        hostname: "box",
        process: {
          user: { uid: 0, gid: 0 },
          args: options.args,
          env: ["PATH=/usr/bin:/bin"],
          cwd: "/",
          capabilities: CAPABILITIES,
          ...options.process,
        },
        mounts: [...MOUNTS, ...(options.mounts ?? [])],
        linux: {
          namespaces: NAMESPACES.map((type) => ({ type })),
          cgroupsPath: `/tsimg-test-${this.id}`,
          maskedPaths: [
            "/proc/kcore",
            "/proc/keys",
            "/proc/acpi",
            "/sys/firmware",
            "/proc/nothing",
          ],
          readonlyPaths: ["/proc/sys", "/proc/bus"],
        },
      },
      rootMounts: [{ type: "bind", source: this.root, options: ["rbind"], api: "mount" }],
      cgroup: this.cgroup(options.memory),
      stateDirectory: this.state,
      io: { kind: "foreground", tty: false, interactive: false },
      removeAfter: [],
      init: false,
      ...options.request,
    };
  }

  write(options: BoxOptions): string {
    const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
    writeFileSync(this.tape, encodeTape(compileTape(this.request(options)), machine));
    return this.tape;
  }

  run(options: BoxOptions, input = ""): Finished {
    this.write(options);
    return spawnSync(this.launcher, [this.tape], {
      encoding: "utf8",
      input,
      timeout: patience(30_000),
    });
  }

  /** Runs a shell script in the container. */
  sh(script: string, options: Omit<BoxOptions, "args"> = {}): Finished {
    return this.run({ ...options, args: ["sh", "-c", script] });
  }

  spawn(options: BoxOptions) {
    this.write(options);
    return spawn(this.launcher, [this.tape], { stdio: ["pipe", "pipe", "pipe"] });
  }

  record(name: "started" | "exit"): Record<string, unknown> {
    return JSON.parse(readFileSync(join(this.state, `${name}.json`), "utf8"));
  }
}

export function buildLauncher(): Disposable & { readonly directory: string } {
  const directory = mkdtempSync(join(tmpdir(), "tsimg-launcher-bin-"));
  compileLauncher(directory);
  return {
    directory,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Waits for what another process is about to do; a test fails by its own time limit. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

export function processesBelow(directory: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(directory);
      } catch {
        return false;
      }
    });
}

const NAMESPACES = ["pid", "mount", "uts", "ipc", "network", "cgroup"] as const;

const GRANTED = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_KILL",
  "CAP_MKNOD",
  "CAP_SETGID",
  "CAP_SETUID",
];
const CAPABILITIES = {
  bounding: GRANTED,
  effective: GRANTED,
  permitted: GRANTED,
  inheritable: [],
  ambient: [],
};

const MOUNTS: Spec["mounts"] = [
  ["/proc", "proc", "nosuid,noexec,nodev"],
  ["/dev", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"],
  ["/dev/pts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"],
  ["/sys", "sysfs", "nosuid,noexec,nodev,ro"],
  ["/sys/fs/cgroup", "cgroup", "ro,nosuid,noexec,nodev"],
  ["/dev/mqueue", "mqueue", "nosuid,noexec,nodev"],
  ["/dev/shm", "tmpfs", "nosuid,noexec,nodev,mode=1777,size=1m"],
].map(([destination = "", type = "", options = ""]) => ({
  destination,
  type,
  source: type,
  options: options.split(","),
}));
