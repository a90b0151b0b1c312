import { join, resolve } from "node:path";

/** Where a store keeps its things. All paths are absolute. */
export interface StorePaths {
  readonly root: string;
  /** State that ends with the machine's uptime: one directory a running container. */
  readonly runRoot: string;
  readonly database: string;
  readonly blobs: string;
  readonly ingests: string;
  /** One directory a container: bundle and log. */
  readonly containers: string;
  readonly volumes: string;
  /** Assembled seccomp filters. */
  readonly filters: string;
  /** Launch tapes to make others of. */
  readonly tapes: string;
  /** Links to a launcher's program that others may run in, see src/launcher/seal.h. */
  readonly launcher: string;
  /** An empty directory to mount private views on. */
  readonly view: string;
}

export const DEFAULT_ROOT = "/var/lib/tsimg";
export const DEFAULT_RUN_ROOT = "/run/tsimg";

/**
 * @param root    the store; default /var/lib/tsimg
 * @param runRoot default /run/tsimg, or `run` inside a root that isn't the default one, so
 *                that two stores never share their state
 */
export function storePaths(root: string = DEFAULT_ROOT, runRoot?: string): StorePaths {
  const base = resolve(root);
  const defaultRun = base === DEFAULT_ROOT ? DEFAULT_RUN_ROOT : join(base, "run");
  return {
    root: base,
    runRoot: resolve(runRoot ?? defaultRun),
    database: join(base, "tsimg.db"),
    blobs: join(base, "content", "blobs"),
    ingests: join(base, "content", "ingests"),
    containers: join(base, "containers"),
    volumes: join(base, "volumes"),
    filters: join(base, "cache", "seccomp"),
    tapes: join(base, "cache", "tapes"),
    launcher: join(base, "cache", "launcher"),
    view: join(base, "view"),
  };
}
