import { join } from "node:path";
import { ContentStore } from "./content/content-store.ts";
import { ImageStore } from "./image/image-store.ts";
import { ContainerStore } from "./runtime/container/container-store.ts";
import { SnapshotStore } from "./snapshot/snapshot-store.ts";
import { chooseDriver } from "./storage/choose-driver.ts";
import { ConfigFiles } from "./storage/config-file.ts";
import { DriverSet } from "./storage/driver-set.ts";
import { Database } from "./store/database.ts";
import { type StorePaths, storePaths } from "./store/paths.ts";

export interface AppOptions {
  readonly root?: string | undefined;
  readonly runRoot?: string | undefined;
  /** In place of what the environment leads to. */
  readonly config?: ConfigFiles;
}

/**
 * Puts the concrete parts together: the one place that knows them all. Each part is made
 * when it is first asked for, so that a command pays for what it uses.
 */
export class App implements Disposable {
  readonly paths: StorePaths;
  readonly config: ConfigFiles;
  private openDatabase: Database | undefined;
  private openSnapshots: SnapshotStore | undefined;

  constructor(options: AppOptions) {
    this.paths = storePaths(options.root, options.runRoot);
    this.config = options.config ?? new ConfigFiles();
  }

  get database(): Database {
    this.openDatabase ??= new Database(this.paths.database);
    return this.openDatabase;
  }

  get content(): ContentStore {
    return new ContentStore(this.database, this.paths);
  }

  get snapshots(): SnapshotStore {
    this.openSnapshots ??= new SnapshotStore(this.database, new DriverSet(this));
    return this.openSnapshots;
  }

  /**
   * The driver to use, by its name in the database.
   * @param flag what `--driver` says
   * @throws TsimgError ERR_DRIVER when there is no such driver, or it has no place here
   */
  chooseDriver(flag: string | undefined): string {
    return chooseDriver(this, flag);
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
  return join(here.replace(/\/(?:chunks|alone\/[^/]+)$/, ""), name);
}
