import { rmSync } from "node:fs";
import { join } from "node:path";
import type { SnapshotStore } from "../../snapshot/snapshot-store.ts";
import type { Database } from "../../store/database.ts";
import type { StorePaths } from "../../store/paths.ts";
import { ownIdentity } from "../../store/process-identity.ts";
import { TsimgError } from "../../sys/error.ts";
import { removeCgroups } from "../cgroup/remove-group.ts";
import type { NetworkContext } from "../network/network-context.ts";
import { defaultSubnets } from "../network/network-context.ts";
import { reclaimNetwork, reclaimNetworks } from "../network/reclaim-network.ts";
import { releaseVolumes } from "../volume/release-volumes.ts";
import { tellMounts } from "../volume/volume-events.ts";
import type {
  Container,
  ContainerOptions,
  ContainerRow,
  ExitRecord,
  Restarts,
  StartedRecord,
} from "./container.ts";
import { tellContainer, tellEnd } from "./container-events.ts";
import {
  asContainer,
  isGone,
  isStarting,
  isStopped,
  isUnsettled,
  type Look,
  lookAt,
} from "./container-look.ts";
import { endOrphan } from "./end-orphan.ts";
import { tellExecs } from "./exec-records.ts";
import { findRow } from "./find-row.ts";
import { removeForeign } from "./foreign-runtime.ts";
import { forgetRecords, keptExit, readExit, readKeptExit, readStarted } from "./launch-records.ts";

/**
 * The containers and what has become of them.
 *
 * Their state is what the launcher's two records and the kernel say: no process has to
 * stay up to keep it. A container whose start was cut off before its program ran was never
 * there: the next command that looks undoes it, and also takes down what a finished `--rm`
 * container left.
 */
export class ContainerStore {
  readonly database: Database;
  private readonly snapshots: SnapshotStore;
  readonly paths: StorePaths;

  constructor(database: Database, snapshots: SnapshotStore, paths: StorePaths) {
    this.database = database;
    this.snapshots = snapshots;
    this.paths = paths;
  }

  /** What the network side needs of this store. */
  get networks(): NetworkContext {
    return {
      database: this.database,
      root: this.paths.root,
      defaultSubnets: defaultSubnets(),
      stateDirectory: (id) => this.stateDirectory(id),
      isAlive: (id) => {
        const status = this.find(id)?.state.status;
        return status !== undefined && status !== "exited";
      },
    };
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
    const sql = "select * from containers order by created desc";
    this.snapshots.recover();
    return this.observeAll(this.database.all<ContainerRow>(sql));
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
    const row = findRow(this.database, text);
    return row === undefined ? undefined : this.settle(this.look(row));
  }

  /** Clears up what ended without anybody looking. Those whose end is known cost nothing. */
  clearUp(): void {
    const sql = "select * from containers where exit is null or auto_remove = 1";
    this.snapshots.recover();
    this.observeAll(this.database.all<ContainerRow>(sql));
  }

  /**
   * Takes a container down that doesn't run.
   * @param removeAnonymous whether volumes that nobody named go with it
   * @param end of one of which nobody was told that it has ended
   */
  remove(
    row: ContainerRow,
    options: ContainerOptions,
    removeAnonymous = row.auto_remove === 1,
    end?: ExitRecord,
  ): void {
    tellExecs(this.database, this.paths.runRoot);
    this.endForeign(row, options);
    removeCgroups(options.cgroups);
    rmSync(this.stateDirectory(row.id), { recursive: true, force: true });
    rmSync(keptExit(this.stateDirectory(row.id)), { force: true });
    rmSync(this.directory(row.id), { recursive: true, force: true });
    reclaimNetwork(this.networks, row.id);
    releaseVolumes(this, row.id, { removeAnonymous });
    const image = this.snapshots.get(row.snapshot)?.parent ?? null;
    this.database.transaction(() => {
      const deleted = this.database.run("delete from containers where id = ?", row.id);
      // Of several commands that clear up after it, one tells of it.
      if (deleted > 0) {
        if (end !== undefined && row.exit === null) tellEnd(this.database, row, end);
        this.tell(row, "destroy");
      }
      this.snapshots.markRemoving(row.snapshot);
    });
    this.snapshots.destroy(row.snapshot);
    // It may have been all that kept the layers of an image that was removed.
    this.snapshots.removeUnneeded(image);
  }

  /** Takes a container down that couldn't be made. */
  undo(id: string): void {
    const row = this.database.get<ContainerRow>("select * from containers where id = ?", id);
    if (row !== undefined) this.remove(row, JSON.parse(row.options) as ContainerOptions, true);
  }

  /** What its launcher saw of a container's end, when it has ended. */
  exitOf(id: string): ExitRecord | undefined {
    return readExit(this.stateDirectory(id));
  }

  /** What its launcher wrote when it came to run. */
  startedOf(id: string): StartedRecord | undefined {
    return readStarted(this.stateDirectory(id));
  }

  /**
   * Makes this process the one that starts the container.
   *
   * @param restarts undefined when it isn't its restart policy that starts it
   * @throws TsimgError ERR_STATE when it runs, or another process is starting it, or its
   *   restart policy has no say any more
   */
  claimStart(id: string, restarts?: Restarts): Container {
    const { row } = this.existing(id);
    return this.database.transaction(() => {
      const container = this.current(id);
      if (container === undefined)
        throw new TsimgError("ERR_STATE", `container '${row.name}' was just removed`);
      const { state } = container;
      if (state.status === "running")
        throw new TsimgError("ERR_STATE", `container '${row.name}' is running`);
      if (isStarting(container))
        throw new TsimgError("ERR_STATE", `container '${row.name}' is just being started`, {
          hint: "try again in a moment",
        });
      if (restarts !== undefined && state.status !== "restarting")
        throw new TsimgError("ERR_STATE", `container '${row.name}' was just stopped`);
      // Nobody told it before: a container that restarts has not ended.
      if ("exit" in state && container.row.exit === null) tellEnd(this.database, row, state.exit);
      const sql = `update containers set starter = ?, exit = null, last_exit = ?, ready = 1,
        restarts = ?, restarts_in_row = ?, stop_asked = 0 where id = ?`;
      const lastExit = "exit" in state ? JSON.stringify(state.exit) : container.row.last_exit;
      const { all, inRow } = restarts ?? { all: 0, inRow: 0 };
      this.database.run(sql, ownIdentity(), lastExit, all, inRow, row.id);
      forgetRecords(this.stateDirectory(row.id));
      tellMounts(this.database, row.id, container.options.points, "mount");
      this.tell(row, "start");
      return container;
    });
  }

  /**
   * Makes this process the one that removes the container: nobody starts it any more. When
   * the process dies, the next look removes it.
   * @returns false when it runs, or another process is starting or removing it
   */
  claimRemoval(id: string): boolean {
    return this.database.transaction(() => {
      const container = this.current(id);
      if (container === undefined) return true;
      if (!isStopped(container)) return false;
      const sql = `update containers set starter = ?, exit = null, last_exit = null, ready = 0
        where id = ?`;
      this.database.run(sql, ownIdentity(), id);
      forgetRecords(this.stateDirectory(id));
      return true;
    });
  }

  /** Keeps a container's restart policy from starting it again. */
  askToStop(id: string): void {
    this.database.run("update containers set stop_asked = 1 where id = ?", id);
  }

  /** Keeps what of a container's options has changed. */
  setOptions(id: string, options: ContainerOptions): void {
    const sql = "update containers set options = ? where id = ?";
    this.database.run(sql, JSON.stringify(options), id);
  }

  /** Records something that happened to a container. */
  tell(row: ContainerRow, action: string, more: Readonly<Record<string, string>> = {}): void {
    tellContainer(this.database, row, action, more);
  }

  private observeAll(rows: readonly ContainerRow[]): readonly Container[] {
    tellExecs(this.database, this.paths.runRoot);
    const looks = rows.map((row) => this.look(row));
    const dead = looks.filter(isUnsettled).map(({ row }) => row.id);
    // Of all at once, since the firewall is written only once then.
    reclaimNetworks(this.networks, dead, (id) => {
      const look = this.lookAgain(id);
      return look === undefined || isUnsettled(look);
    });
    return looks.flatMap((look) => this.settle(look) ?? []);
  }

  private look(row: ContainerRow): Look {
    return lookAt(row, this.stateDirectory(row.id));
  }

  private lookAgain(id: string): Look | undefined {
    const row = this.database.get<ContainerRow>("select * from containers where id = ?", id);
    return row === undefined ? undefined : this.look(row);
  }

  /** What a container is, within a transaction: nothing is cleared up. */
  private current(id: string): Container | undefined {
    const look = this.lookAgain(id);
    return look === undefined || isGone(look) ? undefined : asContainer(look);
  }

  /** Does what a look calls for. @returns undefined when it found nothing to keep */
  private settle(seen: Look): Container | undefined {
    if (!isUnsettled(seen)) return asContainer(seen);
    // Row and records were read one after the other, and somebody may have started it
    // meanwhile: only what is seen where nobody can start it counts.
    const look = this.database.transaction(() => {
      const sure = this.lookAgain(seen.row.id);
      if (sure !== undefined && !isGone(sure)) this.writeEnd(sure);
      return sure;
    });
    if (look === undefined) return undefined;
    if (!isGone(look)) return asContainer(look);
    const { row, options, state } = look;
    endOrphan(state);
    // Without a state its launcher has removed all but this.
    const kept = readKeptExit(this.stateDirectory(row.id));
    this.remove(row, options, undefined, state?.status === "exited" ? state.exit : kept);
    return undefined;
  }

  private writeEnd({ row, options, state }: Look): void {
    if (state?.status !== "exited" || row.exit !== null) return;
    const sql = "update containers set exit = ?, ready = 1 where id = ?";
    this.database.run(sql, JSON.stringify(state.exit), row.id);
    tellEnd(this.database, row, state.exit);
    endOrphan(state);
    this.endForeign(row, options);
    reclaimNetwork(this.networks, row.id);
    removeCgroups(options.cgroups);
  }

  /** Another runtime's container doesn't die with its launcher. */
  private endForeign({ id, exit }: ContainerRow, { runtime = null }: ContainerOptions): void {
    if (runtime !== null && exit === null) removeForeign(runtime, this.stateDirectory(id), id);
  }
}
