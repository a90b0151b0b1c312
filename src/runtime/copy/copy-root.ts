import { constants } from "node:fs";
import { posix } from "node:path";
import { tolerating } from "../../sys/errno.ts";
import { O_PATH, openWithin } from "../../sys/open-within.ts";
import { copyError } from "./copy-error.ts";
import { lookAt, lookWithin, type SourceNode } from "./source-node.ts";

/** What paths start from: the root of a container, or the machine's. */
export interface CopyRoot {
  /** Opened with O_PATH. */
  readonly fd: number;
  /** How messages show a path: `web:/etc`. */
  readonly shown: (path: string) => string;
}

const DIRECTORY = O_PATH | constants.O_DIRECTORY;
/** As many as the kernel follows. */
const MAX_LINKS = 40;
const MISSING: readonly string[] = ["ENOENT", "ENOTDIR"];

/**
 * Holds what is at `path`, which is absolute and tidy. A symlink there is followed only if told.
 * @throws TsimgError ERR_NO_SUCH_PATH
 */
export function lookAtPath(root: CopyRoot, path: string, follow: boolean): SourceNode {
  try {
    if (follow || path === "/") return lookWithin(root.fd, path);
    using parent = lookWithin(root.fd, posix.dirname(path));
    // Its place is of no use once the directory isn't held any more.
    return { ...lookAt(parent.fd, Buffer.from(posix.basename(path))), place: undefined };
  } catch (error) {
    throw copyError(error, root.shown(path));
  }
}

/** As `lookAtPath` with `follow`; undefined when there is nothing. */
export function findAtPath(root: CopyRoot, path: string): SourceNode | undefined {
  try {
    return tolerating(["ENOENT"], () => lookWithin(root.fd, path));
  } catch (error) {
    throw copyError(error, root.shown(path));
  }
}

/** A directory to write into, by O_PATH. The caller closes it. @throws TsimgError */
export function openDirectoryAt(root: CopyRoot, path: string): number {
  try {
    return openWithin(root.fd, path, DIRECTORY, "root");
  } catch (error) {
    throw copyError(error, root.shown(path));
  }
}

/**
 * Where writing to `path` would write: the same path, or where the symlink there leads to, also
 * when nothing is there.
 * @throws TsimgError ERR_NO_SUCH_PATH when links lead in a circle
 */
export function throughLinks(root: CopyRoot, path: string): string {
  let at = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    using node = tolerating(MISSING, () => {
      using parent = lookWithin(root.fd, posix.dirname(at));
      return lookAt(parent.fd, Buffer.from(posix.basename(at)));
    });
    if (node?.link === undefined) return at;
    at = posix.resolve(posix.dirname(at), node.link.toString());
  }
  throw copyError(Object.assign(new Error("links"), { code: "ELOOP" }), root.shown(path));
}
