import { existsSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { SnapshotStore } from "../../snapshot/snapshot-store.ts";
import type { Database } from "../../store/database.ts";
import type { StorePaths } from "../../store/paths.ts";
import { bootId, identityOf, isAlive } from "../../store/process-identity.ts";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import type {
  Container,
  ContainerOptions,
  ContainerRow,
  ContainerState,
  ExitRecord,
  StartedRecord,
} from "./container.ts";

/** Docker's word for a process that was killed: 128 + SIGKILL. */
const KILLED = 137;
/** Docker's word for a container whose end nobody saw. */
const UNSEEN = 255;

/**
 * The containers and what has become of them.
 *
 * Their state is what the launcher's two records and the kernel say: no process has to
 * stay up to keep it. A container whose start was cut off before its program ran was never
 * there: the next command that looks undoes it, and also takes down what a finished `--rm`
 * container left.
 */
export class ContainerStore {
  private readonly database: Database;
  private readonly snapshots: SnapshotStore;
  private readonly paths: StorePaths;

  constructor(database: Database, snapshots: SnapshotStore, paths: StorePaths) {
    this.database = database;
    this.snapshots = snapshots;
    this.paths = paths;
  }

  /** Bundle, records and launch tape of a container: gone after a reboot. */
  stateDirectory(id: string): string {
    return join(this.paths.runRoot, id);
  }

  /** What outlives a reboot: its log. */
  directory(id: string): string {
    return join(this.paths.containers, id);
  }

  /** Every container, newest first, after what dead processes left is cleared up. */
  list(): readonly Container[] {
    return this.database
      .all<ContainerRow>("select * from containers order by created desc")
      .flatMap((row) => this.observe(row) ?? []);
  }

  /**
   * The container of that name, ID, or start of an ID.
   * @throws TsimgError ERR_NO_SUCH_CONTAINER
   */
  existing(text: string): Container {
    const container = this.find(text);
    if (container !== undefined) return container;
    throw new TsimgError("ERR_NO_SUCH_CONTAINER", `no such container: '${text}'`, {
      hint: '"tsimg ps -a" lists them',
    });
  }

  /** As `existing`, but undefined when there is none. */
  find(text: string): Container | undefined {
    const rows = this.database.all<ContainerRow>(
      "select * from containers where name = ? or id = ?",
      text.replace(/^\//, ""),
      text,
    );
    const started = /^[0-9a-f]+$/.test(text)
      ? this.database.all<ContainerRow>(
          "select * from containers where id between ? and ?",
          text,
          `${text}g`,
        )
      : [];
    const found = rows.length > 0 ? rows : started;
    if (found.length > 1)
      throw new TsimgError("ERR_NO_SUCH_CONTAINER", `container ID '${text}' is ambiguous`, {
        hint: "give more of its digits",
      });
    return found[0] === undefined ? undefined : this.observe(found[0]);
  }

  /** Clears up what ended without anybody looking. Those whose end is known cost nothing. */
  clearUp(): void {
    const sql = "select * from containers where exit is null or auto_remove = 1";
    for (const row of this.database.all<ContainerRow>(sql)) this.observe(row);
  }

  /** Takes a container down that doesn't run. */
  remove(row: ContainerRow, options: ContainerOptions): void {
    for (const group of options.cgroups) removeCgroup(group);
    rmSync(this.stateDirectory(row.id), { recursive: true, force: true });
    rmSync(this.directory(row.id), { recursive: true, force: true });
    const image = this.snapshots.get(row.snapshot)?.parent ?? null;
    this.database.transaction(() => {
      this.database.run("delete from containers where id = ?", row.id);
      this.snapshots.markRemoving(row.snapshot);
    });
    this.snapshots.destroy(row.snapshot);
    // It may have been all that kept the layers of an image that was removed.
    this.snapshots.removeUnneeded(image);
  }

  /** Removes a container whose program has ended; its launcher may still live. */
  removeEnded(id: string): void {
    const sql = "select * from containers where id = ?";
    const row = this.database.get<ContainerRow>(sql, id);
    if (row === undefined) return;
    if (readRecord<ExitRecord>(join(this.stateDirectory(id), "exit.json")) === undefined)
      throw new TsimgError("ERR_IN_USE", `container '${row.name}' has not ended`);
    this.remove(row, JSON.parse(row.options) as ContainerOptions);
  }

  /** @returns undefined when the look found nothing to keep */
  private observe(row: ContainerRow): Container | undefined {
    const options = JSON.parse(row.options) as ContainerOptions;
    const state = this.stateOf(row);
    if (state === undefined || (state.status === "exited" && row.auto_remove === 1)) {
      this.remove(row, options);
      return undefined;
    }
    if (state.status === "exited" && row.exit === null) {
      const exit = JSON.stringify(state.exit);
      this.database.run("update containers set exit = ? where id = ?", exit, row.id);
      for (const group of options.cgroups) removeCgroup(group);
    }
    return { row, options, state };
  }

  /** @returns undefined when it never came to run its program */
  private stateOf(row: ContainerRow): ContainerState | undefined {
    const directory = this.stateDirectory(row.id);
    const readStarted = () => readRecord<StartedRecord>(join(directory, "started.json"));
    if (row.exit !== null)
      return { status: "exited", exit: JSON.parse(row.exit) as ExitRecord, started: readStarted() };
    // Before its record is read: a starter ends only after that is written.
    const isStarting = isAlive(row.owner);
    const started = readStarted();
    // In this order: a container that ends in between is seen as running, not as lost.
    if (started !== undefined && isRunning(started)) return { status: "running", started };
    const seen = readRecord<ExitRecord>(join(directory, "exit.json"));
    if (seen !== undefined) return { status: "exited", exit: seen, started };
    if (started !== undefined) return { status: "exited", exit: lost(KILLED), started };
    if (isStarting) return { status: "created" };
    const before = row.owner.split(":")[2] !== bootId();
    return before ? { status: "exited", exit: lost(UNSEEN), started } : undefined;
  }
}

/** Whether the container's first process or its launcher, which writes its end, still lives. */
function isRunning(started: StartedRecord): boolean {
  if (started.bootId !== bootId()) return false;
  if (isAlive(identityOf(started.pid, started.startTime))) return true;
  return isAlive(identityOf(started.launcher, started.launcherStartTime));
}

function lost(exitCode: number): ExitRecord {
  const error = exitCode === KILLED ? "its launcher was killed" : "the machine went down";
  return { exitCode, signal: 0, oomKilled: false, finishedAt: new Date().toISOString(), error };
}

function readRecord<T>(path: string): T | undefined {
  const text = tolerating(["ENOENT"], () => readFileSync(path, "utf8"));
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

/** A cgroup goes once its last process is reaped, which may be a moment after its death. */
function removeCgroup(group: string): void {
  for (let attempt = 0; attempt < 50 && existsSync(group); attempt++) {
    if (tolerating(["EBUSY", "ENOENT"], () => rmdirSync(group) ?? true) === true) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
}
