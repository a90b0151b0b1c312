import { join } from "node:path";
import { Overlay2Driver } from "../drivers/overlay2/overlay2.ts";
import { ContentStore } from "./content/content-store.ts";
import { ImageStore } from "./image/image-store.ts";
import { ContainerStore } from "./runtime/container/container-store.ts";
import { SnapshotStore } from "./snapshot/snapshot-store.ts";
import { Database } from "./store/database.ts";
import { type StorePaths, storePaths } from "./store/paths.ts";

export interface AppOptions {
  readonly root?: string | undefined;
  readonly runRoot?: string | undefined;
}

/** Every driver there is, in the order in which they are looked at. */
export const DEFAULT_DRIVER = "overlay2";

/**
 * Puts the concrete parts together: the one place that knows them all. Each part is made
 * when it is first asked for, so that a command pays for what it uses.
 */
export class App implements Disposable {
  readonly paths: StorePaths;
  private openDatabase: Database | undefined;
  private openSnapshots: SnapshotStore | undefined;

  constructor(options: AppOptions) {
    this.paths = storePaths(options.root, options.runRoot);
  }

  get database(): Database {
    this.openDatabase ??= new Database(this.paths.database);
    return this.openDatabase;
  }

  get content(): ContentStore {
    return new ContentStore(this.database, this.paths);
  }

  get snapshots(): SnapshotStore {
    const overlay2 = new Overlay2Driver(this.paths.root);
    const drivers = { get: () => overlay2, present: () => [overlay2] };
    this.openSnapshots ??= new SnapshotStore(this.database, drivers);
    return this.openSnapshots;
  }

  get images(): ImageStore {
    return new ImageStore(this.database);
  }

  get containers(): ContainerStore {
    return new ContainerStore(this.database, this.snapshots, this.paths);
  }

  [Symbol.dispose](): void {
    this.openDatabase?.[Symbol.dispose]();
  }
}

/** A program that the build makes, beside the bundle that is running. */
export function builtProgram(name: string): string {
  const here = import.meta.dirname;
  return join(here.endsWith("/chunks") ? join(here, "..") : here, name);
}
