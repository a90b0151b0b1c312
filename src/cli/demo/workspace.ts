import { mkdirSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCode } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";

/** Overlay can't keep its upper directories on these. @see statfs(2) for the numbers */
const UNFIT: ReadonlyMap<number, string> = new Map([
  [0x794c7630, "overlay"],
  [0x6969, "nfs"],
  [0x65735546, "fuse"],
  [0x01021997, "9p"],
  [0xf15f, "ecryptfs"],
]);

/** What the demo's image, blobs, layers and container take, with room to spare, in bytes. */
const NEEDED_SPACE = 100_000_000;

/** The directories of one demo. Disposing removes them with all that is in them. */
export interface Workspace extends Disposable {
  readonly directory: string;
  /** The store's root. */
  readonly store: string;
  /** The image as it is built: an OCI layout. */
  readonly layout: string;
}

/**
 * Makes a temporary directory where overlayfs can work: in the system's place for such, or
 * else where it usually can.
 *
 * @throws TsimgError ERR_STATE when there is no such place
 */
export function makeWorkspace(): Workspace {
  const places = [...new Set([tmpdir(), "/var/tmp", "/run", "/dev/shm"])];
  const flaws: string[] = [];
  for (const place of places) {
    const flaw = flawOf(place);
    if (flaw === undefined) return workspaceIn(place);
    flaws.push(`${place} ${flaw}`);
  }
  throw new TsimgError("ERR_STATE", `there is no place for the demo: ${flaws.join(", ")}`, {
    hint: "set TMPDIR to a directory on ext4, xfs, btrfs or tmpfs with 100 MB free",
  });
}

function flawOf(place: string): string | undefined {
  try {
    const { type, bavail, bsize } = statfsSync(place);
    const unfit = UNFIT.get(type);
    if (unfit !== undefined) return `is on ${unfit}`;
    return bavail * bsize < NEEDED_SPACE ? "is full" : undefined;
  } catch {
    return "isn't there";
  }
}

function workspaceIn(place: string): Workspace {
  const directory = mkdtempSync(join(place, "tsimg-demo-"));
  const [store, layout] = [join(directory, "store"), join(directory, "layout")];
  mkdirSync(layout);
  return {
    directory,
    store,
    layout,
    [Symbol.dispose]() {
      try {
        rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
      } catch (error) {
        process.stderr.write(`warning: can't remove "${directory}": ${errorCode(error)}\n`);
      }
    },
  };
}
