import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { Spec } from "../../oci/runtime-spec.ts";
import { identityOf, isAlive } from "../../store/process-identity.ts";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { isFrozen } from "../cgroup/freeze.ts";
import type { ExitRecord, StartedRecord } from "../container/container.ts";
import { FIRST_CLOSED_FD } from "../tape/tape.ts";

/** What is kept of a container beside the launcher's records. */
export interface OciRecord {
  readonly id: string;
  /** Absolute. */
  readonly bundle: string;
  /** RFC 3339. */
  readonly created: string;
  /** Directories of its cgroups. */
  readonly cgroups: readonly string[];
  readonly spec: Spec;
}

export type OciStatus = "creating" | "created" | "running" | "paused" | "stopped";

/** @see OCI runtime-spec, runtime.md, "State" */
export interface OciState {
  readonly ociVersion: string;
  readonly id: string;
  /** 0 once it has ended. */
  readonly pid: number;
  readonly status: OciStatus;
  readonly bundle: string;
  readonly rootfs: string;
  readonly created: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const GONE = ["ENOENT", "ESRCH"];
const ID = /^[\w+.@-][\w+.:@-]{0,1023}$/;

/** A container of the OCI runtime interface: a directory, and what the kernel says. */
export class OciContainer {
  readonly id: string;
  readonly directory: string;

  /** @throws TsimgError ERR_USAGE */
  constructor(root: string, id: string) {
    if (!ID.test(id) || id === "." || id === "..")
      throw new TsimgError("ERR_USAGE", `invalid container ID "${id.slice(0, 64)}"`, {
        hint: "use letters, digits and _ + - . @",
      });
    this.id = id;
    this.directory = join(root, id);
  }

  /** The FIFO that a container waits at which is created, not started. */
  get gate(): string {
    return join(this.directory, "start");
  }

  /** @throws TsimgError ERR_NO_SUCH_CONTAINER */
  record(): OciRecord {
    const text = tolerating(["ENOENT"], () => readFileSync(this.recordPath(), "utf8"));
    if (text !== undefined) return JSON.parse(text) as OciRecord;
    throw new TsimgError("ERR_NO_SUCH_CONTAINER", `container does not exist: '${this.id}'`);
  }

  write(record: OciRecord): void {
    writeFileSync(this.recordPath(), JSON.stringify(record), { mode: 0o600 });
  }

  get started(): StartedRecord | undefined {
    return this.read<StartedRecord>("started.json");
  }

  /** Of a start that failed, or of `run`. */
  get exit(): ExitRecord | undefined {
    return this.read<ExitRecord>("exit.json");
  }

  status(): OciStatus {
    const { started } = this;
    if (started === undefined) return this.exit === undefined ? "creating" : "stopped";
    if (!isAlive(identityOf(started.pid, started.startTime, started.bootId))) return "stopped";
    if (existsSync(this.gate)) return "created";
    return isFrozen(this.record().cgroups) ? "paused" : "running";
  }

  /** @throws TsimgError ERR_STATE in any other state */
  mustAllow(action: string, ...wanted: readonly OciStatus[]): void {
    const status = this.status();
    if (wanted.includes(status)) return;
    throw new TsimgError("ERR_STATE", `cannot ${action} container '${this.id}': it is ${status}`);
  }

  /**
   * Lets a created container go on to its program.
   * @throws TsimgError ERR_STATE when it has ended, or gone on, since one looked
   */
  openGate(): void {
    // Without a reader an open that waits would wait for ever.
    const fd = tolerating(["ENXIO", "ENOENT"], () =>
      openSync(this.gate, constants.O_WRONLY | constants.O_NONBLOCK),
    );
    try {
      if (fd !== undefined) writeSync(fd, "0");
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
    rmSync(this.gate, { force: true });
    if (fd === undefined)
      throw new TsimgError("ERR_STATE", `cannot start container '${this.id}': nobody waits for it`);
  }

  /** Whether one that was let go on has not come to its program yet. */
  get atGate(): boolean {
    const pid = this.started?.pid;
    const gate = tolerating(GONE, () => readlinkSync(`/proc/${pid}/fd/${FIRST_CLOSED_FD}`));
    return gate === `${this.gate} (deleted)`;
  }

  /** @see OCI runtime-spec, runtime.md: what `state` prints and hooks read */
  state(): OciState {
    const { bundle, spec, created } = this.record();
    const status = this.status();
    const { started } = this;
    return {
      ociVersion: spec.ociVersion,
      id: this.id,
      pid: started === undefined || status === "stopped" ? 0 : started.pid,
      status,
      bundle,
      rootfs: spec.root.path,
      created,
      ...(spec.annotations === undefined ? {} : { annotations: spec.annotations }),
    };
  }

  private recordPath(): string {
    return join(this.directory, "state.json");
  }

  private read<T>(name: string): T | undefined {
    const text = tolerating(["ENOENT"], () => readFileSync(join(this.directory, name), "utf8"));
    return text === undefined ? undefined : (JSON.parse(text) as T);
  }
}

/** Every container below `root`. */
export function listContainers(root: string): readonly OciContainer[] {
  const names = tolerating(["ENOENT"], () => readdirSync(root)) ?? [];
  return names
    .map((name) => new OciContainer(root, name))
    .filter(({ directory }) => existsSync(join(directory, "state.json")));
}
