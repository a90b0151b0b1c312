import { chmodSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Database } from "../../store/database.ts";
import type { StorePaths } from "../../store/paths.ts";
import { isAlive, ownIdentity } from "../../store/process-identity.ts";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { noSpaceError } from "../../sys/no-space.ts";
import { type VolumeMount, volumeData } from "../mounts/mount-point.ts";
import { isVolumeName } from "../mounts/mount-request.ts";
import { checkLocalOptions, localMount } from "./local-options.ts";
import {
  checkVolumeName,
  type Volume,
  type VolumeRow,
  type VolumeWish,
  volumeOf,
} from "./volume.ts";
import { tellVolume } from "./volume-events.ts";

/**
 * The volumes: a row each, and
 *
 *     <store>/volumes/NAME/_data       what containers see
 *     <store>/volumes/NAME/_copying    see copy-up.ts
 *     <store>/volumes/NAME/_copied
 *
 * The row comes first, as `creating`, and goes last, as `removing`: what a dead process left
 * in between is undone by the next command. A directory without a row is a volume of a version
 * that had no rows, and gets one.
 */
export class VolumeStore {
  private readonly database: Database;
  private readonly paths: Pick<StorePaths, "volumes">;

  constructor(database: Database, paths: Pick<StorePaths, "volumes">) {
    this.database = database;
    this.paths = paths;
  }

  /** What a volume without options shows. */
  dataDirectory(name: string): string {
    return volumeData(this.paths.volumes, name);
  }

  /** Every volume, by name, after what dead processes left is undone. */
  list(): readonly Volume[] {
    this.recover();
    for (const name of tolerating(["ENOENT"], () => readdirSync(this.paths.volumes)) ?? [])
      this.adopt(name);
    const sql = "select * from volumes where state = 'ready' order by name";
    return this.database.all<VolumeRow>(sql).map(volumeOf);
  }

  find(name: string): Volume | undefined {
    if (!isVolumeName(name)) return undefined;
    const row = this.row(name) ?? (this.adopt(name) ? this.row(name) : undefined);
    return row?.state === "ready" ? volumeOf(row) : undefined;
  }

  /** @throws TsimgError ERR_NO_SUCH_VOLUME */
  existing(name: string): Volume {
    const volume = this.find(name);
    if (volume !== undefined) return volume;
    throw new TsimgError("ERR_NO_SUCH_VOLUME", `no such volume: '${name}'`, {
      hint: '"tsimg volume ls" lists them',
    });
  }

  /**
   * The volume of that name: made, unless it is there, which then stays as it is.
   *
   * @throws TsimgError ERR_USAGE, ERR_IN_USE while another process removes one of that name,
   *   ERR_NO_SPACE; nothing is then left
   */
  create(wish: VolumeWish): Volume {
    const { name } = wish;
    checkVolumeName(name);
    const there = this.find(name);
    if (there !== undefined) return there;
    checkLocalOptions(wish.options);
    this.recover();
    this.insert(wish);
    try {
      // The way there is nobody else's: containers can leave set-user-ID programs behind it.
      mkdirSync(this.dataDirectory(name), { recursive: true, mode: 0o700 });
      // Whatever the caller's umask takes away, containers' users must get in.
      chmodSync(this.dataDirectory(name), 0o755);
    } catch (error) {
      const mine = "delete from volumes where name = ? and state = 'creating' and owner = ?";
      if (this.database.run(mine, name, ownIdentity()) > 0) this.removeFiles(name);
      throw noSpaceError(error, this.paths.volumes) ?? error;
    }
    const ready = "update volumes set state = 'ready', owner = null where name = ? and state = ?";
    this.database.transaction(() => {
      if (this.database.run(ready, name, "creating") > 0) tellVolume(this.database, name, "create");
    });
    return this.existing(name);
  }

  /** What a volume is mounted as, one to be made with `options` too; undefined: its directory. */
  mountOf(name: string, options: Readonly<Record<string, string>>): VolumeMount | undefined {
    return localMount(this.find(name)?.options ?? options);
  }

  /** IDs of the containers that have it, running or not. */
  users(name: string): readonly string[] {
    const sql = "select container from volume_uses where volume = ? order by container";
    return this.database.all<{ container: string }>(sql, name).map(({ container }) => container);
  }

  /** @throws TsimgError ERR_NO_SUCH_VOLUME, ERR_IN_USE while a container has it */
  remove(name: string): void {
    this.recover();
    this.existing(name);
    this.database.transaction(() => {
      const users = this.users(name);
      if (users.length > 0)
        throw new TsimgError(
          "ERR_IN_USE",
          `volume '${name}' is in use by ${users.map((id) => id.slice(0, 12)).join(", ")}`,
          { hint: 'remove the container first, with "tsimg rm"' },
        );
      this.markRemoving(name);
    });
    this.destroy(name);
  }

  /** In a transaction that has seen that nobody uses it; then `destroy`. */
  markRemoving(name: string): void {
    const sql = "update volumes set state = 'removing', owner = ? where name = ?";
    this.database.run(sql, ownIdentity(), name);
  }

  /** Takes down a volume that is marked. A failure leaves it marked, for the next command. */
  destroy(name: string): void {
    this.removeFiles(name);
    this.database.transaction(() => {
      const sql = "delete from volumes where name = ? and state <> 'ready'";
      if (this.database.run(sql, name) > 0) tellVolume(this.database, name, "destroy");
    });
  }

  /** Undoes what dead processes left. What can't be undone now is left to a later command. */
  recover(): void {
    const sql = "select * from volumes where state <> 'ready'";
    for (const { name, owner } of this.database.all<VolumeRow>(sql)) {
      if (owner !== null && isAlive(owner)) continue;
      const mine = this.database.transaction(() => {
        const claim =
          "update volumes set state = 'removing', owner = ? where name = ? and owner is ?";
        return this.database.run(claim, ownIdentity(), name, owner) > 0;
      });
      if (mine) tolerating(["EBUSY", "EIO", "EROFS", "EPERM"], () => this.destroy(name));
    }
  }

  private row(name: string): VolumeRow | undefined {
    return this.database.get<VolumeRow>("select * from volumes where name = ?", name);
  }

  private insert({ name, anonymous, labels, options }: VolumeWish): void {
    const sql = `insert into volumes (name, anonymous, state, owner, labels, options, created)
      values (?, ?, 'creating', ?, ?, ?, ?) on conflict do nothing`;
    const values = [JSON.stringify(labels), JSON.stringify(options), new Date().toISOString()];
    this.database.transaction(() => {
      this.database.run(sql, name, anonymous ? 1 : 0, ownIdentity(), ...values);
      // Two that make it at once make the same one.
      if (this.row(name)?.state === "removing")
        throw new TsimgError("ERR_IN_USE", `volume '${name}' is just being removed`, {
          hint: "try again in a moment",
        });
    });
  }

  /** @returns whether there is such a directory */
  private adopt(name: string): boolean {
    if (!isVolumeName(name)) return false;
    const stat = statSync(this.dataDirectory(name), { throwIfNoEntry: false });
    if (stat?.isDirectory() !== true) return false;
    const sql = `insert into volumes (name, state, created) values (?, 'ready', ?)
      on conflict do nothing`;
    if (this.row(name) === undefined) this.database.run(sql, name, stat.birthtime.toISOString());
    return true;
  }

  private removeFiles(name: string): void {
    const directory = dirname(this.dataDirectory(name));
    // Last of all the directory by which a volume is known.
    rmSync(join(directory, "_copying"), { recursive: true, force: true });
    rmSync(directory, { recursive: true, force: true });
  }
}
