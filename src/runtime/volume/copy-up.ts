import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import type { OpenMount } from "../../sys/detached-mount.ts";
import { tolerating } from "../../sys/errno.ts";
import { lockFile } from "../../sys/file-lock.ts";
import { openFileXattrs, pathIn, pathOfOpen } from "../../sys/open-file.ts";
import { O_PATH } from "../../sys/open-within.ts";
import { type CopyRules, descriptionOf, sameOwner } from "../copy/copy-rules.ts";
import { copyWhole } from "../copy/copy-whole.ts";
import { describeOpen } from "../copy/describe.ts";
import { lookWithin, type SourceNode } from "../copy/source-node.ts";

/** Shows the image's tree, read-only, to this process. Asked only when something is copied. */
export type ImageView = () => OpenMount;

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

const TAKEN: readonly string[] = ["ENOTEMPTY", "EEXIST", "ENOTDIR", "EISDIR", "EBUSY"];

/** The image's files go to whoever they belong to in it. */
const RULES: CopyRules = { owner: sameOwner, trusted: true };

/** What is copied up, and where it is seen. */
export interface CopyUp {
  /** `<store>/volumes/NAME`. */
  readonly directory: string;
  /** In the image. */
  readonly source: string;
}

/**
 * Makes an empty volume start as a copy of what the image has at a place, its root's owner and
 * permissions included; one that isn't empty stays as it is, as does one for which the image
 * has no directory.
 *
 *     _data (empty)  ──copy──▶  _copying  ──flush, rename──▶  _copied  ──move──▶  _data
 *
 * Killed while it copies, it has done nothing; killed while it moves, whoever needs the volume
 * next moves on. A lock keeps out others that need the same volume.
 *
 * @param view undefined: nothing is copied, but what was begun is finished
 */
export function copyUp({ directory, source }: CopyUp, view: ImageView | undefined): void {
  if (isSettled(directory, view !== undefined)) return;
  using _alone = lockFile(directory);
  finishMove(directory);
  rmSync(join(directory, "_copying"), { recursive: true, force: true });
  if (view === undefined || readdirSync(join(directory, "_data")).length > 0) return;
  using image = view();
  const root = openSync(`${image.path}/.`, O_PATH | constants.O_DIRECTORY);
  try {
    using node = tolerating(["ENOENT", "ENOTDIR", "ELOOP"], () => lookWithin(root, source));
    if (node?.stats.isDirectory() !== true) return;
    copyAside(node, directory);
  } finally {
    closeSync(root);
  }
  finishMove(directory);
}

/** Found out without system calls that take a foreign function: most volumes are settled. */
function isSettled(directory: string, wantsContent: boolean): boolean {
  const begun = readdirSync(directory).some((name) => name !== "_data");
  return !begun && (!wantsContent || readdirSync(join(directory, "_data")).length > 0);
}

function copyAside(node: SourceNode, directory: string): void {
  const copying = join(directory, "_copying");
  copyWhole(node, copying);
  renameSync(copying, join(directory, "_copied"));
}

/** One by one, since a container may have the volume's root mounted already. */
function finishMove(directory: string): void {
  const copied = join(directory, "_copied");
  if (!existsSync(copied)) return;
  const from = openSync(copied, DIRECTORY);
  const to = openSync(join(directory, "_data"), DIRECTORY);
  try {
    const stats = fstatSync(from, { bigint: true });
    // What a container has put there since is the newer.
    for (const name of readdirSync(pathOfOpen(from), { encoding: "buffer" }))
      tolerating(TAKEN, () => renameSync(pathIn(from, name), pathIn(to, name)) ?? true);
    // Last: moving things in changes the time of the directory.
    describeOpen(to, descriptionOf({ stats }, openFileXattrs(from), RULES));
  } finally {
    closeSync(from);
    closeSync(to);
  }
  rmSync(copied, { recursive: true, force: true });
}
