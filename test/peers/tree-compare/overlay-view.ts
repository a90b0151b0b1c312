import { join } from "node:path";
import { outcomeOf } from "../../../fixtures/command.ts";

/** What `inspect` tells of an image's layers, as docker's GraphDriver.Data. */
export interface OverlayDirs {
  /** The image's last layer. */
  readonly UpperDir: string;
  /** The layers below, nearest first, separated by colons; absent for a single layer. */
  readonly LowerDir?: string;
}

/** A single layer is bound: an overlay without an upper directory needs two. */
const MOUNT_AND_COMPARE = `
  case $1 in
    *:*) mount -t overlay overlay -o "ro,lowerdir=$1" "$2" ;;
    *) mount --bind "$1" "$2" ;;
  esac && exec "$3" "$4" "$5" "$2"`;

/**
 * How the merged tree of overlay directories differs from the tree at `expected`. The overlay is
 * mounted at `mountPoint`, an empty directory, for the comparing process only.
 *
 * @throws Error when the overlay can't be mounted
 */
export async function overlayDifferences(
  expected: string,
  dirs: OverlayDirs,
  mountPoint: string,
): Promise<readonly string[]> {
  const layers = [dirs.UpperDir, dirs.LowerDir].filter((dir) => dir !== undefined).join(":");
  const compare = join(import.meta.dirname, "main.ts");
  const { status, stdout, stderr } = await outcomeOf([
    ...["unshare", "--mount", "--propagation", "private"],
    ...["sh", "-c", MOUNT_AND_COMPARE, "sh", layers, mountPoint],
    ...[process.execPath, compare, expected],
  ]);
  if (status !== 0 && status !== 10) throw new Error(`comparison failed: ${stderr.trim()}`);
  return stdout.toString().split("\n").filter(Boolean);
}
