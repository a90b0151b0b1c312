import { rmSync } from "node:fs";
import { join } from "node:path";
import type { SnapshotStore } from "../../snapshot/snapshot-store.ts";
import type { Database } from "../../store/database.ts";
import type { StorePaths } from "../../store/paths.ts";
import { ownIdentity } from "../../store/process-identity.ts";
import { TsimgError } from "../../sys/error.ts";
import { removeCgroup } from "../cgroup/remove-group.ts";
import type { NetworkContext } from "../network/network-context.ts";
import { defaultSubnets } from "../network/network-context.ts";
import { reclaimNetwork, reclaimNetworks } from "../network/reclaim-network.ts";
import { updateHosts } from "../network/update-hosts.ts";
import { releaseVolumes } from "../volume/release-volumes.ts";
import { tellMounts } from "../volume/volume-events.ts";
import type {
  Container,
  ContainerOptions,
  ContainerRow,
  ContainerState,
  ExitRecord,
  Restarts,
  StartedRecord,
} from "./container.ts";
import { tellContainer, tellEnd } from "./container-events.ts";
import { checkName, refuseTaken } from "./container-name.ts";
import { stateOf } from "./container-state.ts";
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
    this.observeAll(this.database.all<ContainerRow>(sql));
  }

  /**
   * Takes a container down that doesn't run.
   * @param removeAnonymous whether volumes that nobody named go with it
   * @param exit how it has ended, where nobody has told that yet
   */
  remove(
    row: ContainerRow,
    options: ContainerOptions,
    removeAnonymous = row.auto_remove === 1,
    exit?: ExitRecord,
  ): void {
    if (exit !== undefined) this.recordEnd(row, exit);
    this.endForeign(row, options);
    for (const group of options.cgroups) removeCgroup(group);
    rmSync(this.stateDirectory(row.id), { recursive: true, force: true });
    rmSync(keptExit(this.stateDirectory(row.id)), { force: true });
    rmSync(this.directory(row.id), { recursive: true, force: true });
    reclaimNetwork(this.networks, row.id);
    releaseVolumes(this, row.id, { removeAnonymous });
    const image = this.snapshots.get(row.snapshot)?.parent ?? null;
    this.database.transaction(() => {
      // Several commands may do this at once: one tells it.
      if (this.database.run("delete from containers where id = ?", row.id) > 0)
        this.tell(row, "destroy");
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
   * @throws TsimgError ERR_STATE when it runs, or another process is starting it
   */
  claimStart(id: string, restarts: Restarts = { all: 0, inRow: 0 }): Container {
    return this.database.transaction(() => {
      const container = this.existing(id);
      const { state, row } = container;
      if (state.status === "running")
        throw new TsimgError("ERR_STATE", `container '${row.name}' is running`);
      if (state.status === "created" && state.starting)
        throw new TsimgError("ERR_STATE", `container '${row.name}' is just being started`, {
          hint: "try again in a moment",
        });
      // Nobody told it before: a container that restarts has not ended.
      if (state.status === "restarting") tellEnd(this.database, row, state.exit);
      const ended = state.status === "restarting" || state.status === "exited";
      const lastExit = ended ? JSON.stringify(state.exit) : row.last_exit;
      const sql = `update containers set starter = ?, exit = null, last_exit = ?, ready = 1,
        restarts = ?, restarts_in_row = ?, stop_asked = 0 where id = ?`;
      const { all, inRow } = restarts;
      this.database.run(sql, ownIdentity(), lastExit, all, inRow, row.id);
      forgetRecords(this.stateDirectory(row.id));
      tellMounts(this.database, row.id, container.options.points, "mount");
      this.tell(row, "start");
      return container;
    });
  }

  /** Keeps a container's restart policy from starting it again. */
  askToStop(id: string): void {
    this.database.run("update containers set stop_asked = 1 where id = ?", id);
  }

  /** @throws TsimgError ERR_NAME_IN_USE, ERR_USAGE */
  rename(row: ContainerRow, name: string): void {
    checkName(name);
    this.database.transaction(() => {
      refuseTaken(this.database, name);
      this.database.run("update containers set name = ? where id = ?", name, row.id);
      this.tell({ ...row, name }, "rename", { oldName: `/${row.name}` });
      const sql = "select network from network_members where container = ?";
      const networks = this.database.all<{ network: string }>(sql, row.id);
      if (networks.length > 0)
        updateHosts(
          this.networks,
          networks.map(({ network }) => network),
        );
    });
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
    const looks = rows.map((row) => this.look(row));
    const dead = looks.filter(isDead).map(({ row }) => row.id);
    reclaimNetworks(this.networks, dead, (id) => {
      const row = this.database.get<ContainerRow>("select * from containers where id = ?", id);
      return row === undefined || isDead(this.look(row));
    });
    return looks.flatMap((look) => this.settle(look) ?? []);
  }

  /** @returns undefined when the look found nothing to keep */
  private observe(row: ContainerRow): Container | undefined {
    return this.settle(this.look(row));
  }

  private look(row: ContainerRow): Look {
    const options = JSON.parse(row.options) as ContainerOptions;
    return { row, options, state: stateOf(row, options, this.stateDirectory(row.id)) };
  }

  /** Does what a look calls for. */
  private settle({ row, options, state }: Look): Container | undefined {
    if (state === undefined || (state.status === "exited" && row.auto_remove === 1)) {
      // Without a state its launcher has removed all but this.
      const exit = state?.exit ?? readKeptExit(this.stateDirectory(row.id));
      this.remove(row, options, undefined, exit);
      return undefined;
    }
    if (state.status === "exited" && row.exit === null) {
      if (!this.recordEnd(row, state.exit)) return this.lookAgain(row);
      this.endForeign(row, options);
      reclaimNetwork(this.networks, row.id);
      for (const group of options.cgroups) removeCgroup(group);
    }
    return { row, options, state };
  }

  /** @returns false when it was started again or another command has told its end by now */
  private recordEnd(row: ContainerRow, exit: ExitRecord): boolean {
    const sql = `update containers set exit = ?, ready = 1
      where id = ? and exit is null and starter is ?`;
    const mine = this.database.run(sql, JSON.stringify(exit), row.id, row.starter) > 0;
    if (mine) tellEnd(this.database, row, exit);
    return mine;
  }

  /** Its row and its records were read at two moments: a start may lie between them. */
  private lookAgain({ id }: ContainerRow): Container | undefined {
    const row = this.database.get<ContainerRow>("select * from containers where id = ?", id);
    return row === undefined ? undefined : this.observe(row);
  }

  /** Another runtime's container doesn't die with its launcher. */
  private endForeign({ id, exit }: ContainerRow, { runtime = null }: ContainerOptions): void {
    if (runtime !== null && exit === null) removeForeign(runtime, this.stateDirectory(id), id);
  }
}

/** A container as it is; without a state it was never there. */
type Look = Omit<Container, "state"> & { readonly state: ContainerState | undefined };

/** Whose end may not have been settled yet. */
function isDead({ row, state }: Look): boolean {
  return state === undefined || (state.status === "exited" && row.exit === null);
}
