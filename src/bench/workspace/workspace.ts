import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { App } from "../../app.ts";
import { ConfigFiles } from "../../storage/config-file.ts";
import { isAlive, ownIdentity } from "../../store/process-identity.ts";
import { tolerating } from "../../sys/errno.ts";
import { lockFile } from "../../sys/file-lock.ts";
import { randomHex } from "../../sys/random.ts";
import { clearStore } from "./clear-store.ts";
import { stopOwnDaemon } from "./zfs-daemon.ts";

/**
 * Where one bench works, apart from the store that it was called for, on the same file system:
 *
 *     <root>/bench/<id>/owner         whose it is: when that process is dead, all of it goes
 *     <root>/bench/<id>/config.toml   empty: what is configured for the user's store isn't for this
 *     <root>/bench/<id>/store/        a whole store: pools, images, containers
 *     <root>/bench/<id>/zfs-fuse.pid  the daemon, when the bench has started it
 */
export interface Workspace extends AsyncDisposable {
  readonly directory: string;
  readonly app: App;
  /** For commands that shall work on the bench's store. */
  readonly environment: Readonly<Record<string, string>>;
}

/** @param root of the user's store */
export async function openWorkspace(root: string): Promise<Workspace> {
  const all = join(root, "bench");
  mkdirSync(all, { recursive: true, mode: 0o700 });
  await sweepWorkspaces(root);
  const directory = join(all, randomHex(12));
  const unfinished = `${directory}.new`;
  mkdirSync(unfinished, { mode: 0o700 });
  writeFileSync(join(unfinished, "owner"), ownIdentity());
  writeFileSync(join(unfinished, "config.toml"), "");
  renameSync(unfinished, directory);
  const app = storeIn(directory);
  return {
    directory,
    app,
    environment: { TSIMG_ROOT: app.paths.root, TSIMG_CONFIG: join(directory, "config.toml") },
    async [Symbol.asyncDispose]() {
      app[Symbol.dispose]();
      await removeWorkspace(directory);
    },
  };
}

/** Takes away what dead benches have left: all that they made lies in their workspaces. */
export async function sweepWorkspaces(root: string): Promise<void> {
  const all = join(root, "bench");
  for (const name of tolerating(["ENOENT"], () => readdirSync(all)) ?? []) {
    using _lock = lockFile(all);
    const directory = join(all, name);
    const owner = tolerating(["ENOENT"], () => readFileSync(join(directory, "owner"), "latin1"));
    // One without an owner is being made, or was by somebody who died at it: nothing is in it.
    if (owner !== undefined && !isAlive(owner)) await removeWorkspace(directory);
  }
}

/** Removes a workspace with all that hangs on it: processes, mounts, pools. */
export async function removeWorkspace(directory: string): Promise<void> {
  {
    using app = storeIn(directory);
    await clearStore(app);
  }
  stopOwnDaemon(directory);
  // Its owner goes last: without it nobody would take up what is left.
  for (const name of readdirSync(directory).filter((each) => each !== "owner"))
    rmSync(join(directory, name), { recursive: true, force: true });
  rmSync(directory, { recursive: true, force: true });
}

function storeIn(workspace: string): App {
  const config = new ConfigFiles({ TSIMG_CONFIG: join(workspace, "config.toml") });
  return new App({ root: join(workspace, "store"), config });
}
