import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { errorCode, tolerating } from "../sys/errno.ts";
import { deviceNumber, makeNode, S_IFCHR } from "../sys/file-node.ts";
import { programOutcome } from "../sys/run-program.ts";
import { setXattr } from "../sys/xattr.ts";
import { fileSystemType, nearestExisting } from "./file-system.ts";

/** File systems on which overlayfs has always worked. */
const WELL_KNOWN = ["ext4", "xfs", "btrfs", "tmpfs", "f2fs"];

/**
 * Why overlay2 can't work in `directory`, or undefined when it can. On a common file system
 * that is known; elsewhere it is tried once, and what came out is kept in `cache` until the
 * kernel or the file system changes.
 */
export function overlayObstacle(directory: string, cache: string): string | undefined {
  if (WELL_KNOWN.includes(fileSystemType(directory))) return undefined;
  const file = join(cache, "overlay-probe");
  const key = `${release()} ${statSync(nearestExisting(directory)).dev}`;
  const known = tolerating(["ENOENT"], () => readFileSync(file, "utf8"));
  if (known?.startsWith(`${key}\n`)) return known.slice(key.length + 1) || undefined;
  const obstacle = tryOverlay(directory);
  mkdirSync(cache, { recursive: true });
  writeFileSync(file, `${key}\n${obstacle ?? ""}`);
  return obstacle;
}

/**
 * Does below `directory` what the overlay2 driver does: a whiteout, an opaque mark, a mount.
 * The mount is made in a mount namespace of a program's own, so that nobody sees it.
 */
export function tryOverlay(directory: string): string | undefined {
  mkdirSync(directory, { recursive: true, mode: 0o711 });
  const place = mkdtempSync(join(directory, ".probe-"));
  try {
    const [lower, upper, work, merged] = ["lower", "upper", "work", "merged"].map((name) => {
      mkdirSync(join(place, name));
      return join(place, name);
    }) as [string, string, string, string];
    makeNode(join(upper, "gone"), S_IFCHR | 0o600, deviceNumber(0, 0));
    setXattr(upper, "trusted.overlay.opaque", Buffer.from("y"));
    const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    const mount = ["mount", "-t", "overlay", "overlay", "-o", options, merged];
    const { status, stderr } = programOutcome(["unshare", "--mount", "--", ...mount]);
    return status === 0 ? undefined : (stderr.trim().split("\n").at(-1) ?? "mount fails");
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return error instanceof Error ? error.message : String(error);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
