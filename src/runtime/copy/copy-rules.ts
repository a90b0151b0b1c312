import type { BigIntStats } from "node:fs";
import type { Description, Owner } from "./describe.ts";
import type { SourceNode } from "./source-node.ts";

/** What of its source's description a copy gets. Times and permissions it always has. */
export interface CopyRules {
  /** Whom all of the copy belongs to, or who gets what the source says is somebody's. */
  readonly owner: Owner | ((source: Owner) => Owner);
  /**
   * Whether the source may say who is to have which rights: set-user-ID and set-group-ID bits,
   * file capabilities, access lists, device nodes. A container's files don't get to say that on
   * the host, unless the user asks for it.
   */
  readonly trusted: boolean;
}

/** Set-user-ID and set-group-ID; the sticky bit is harmless. */
const SET_ID = 0o6000;

/** Whoever has the source. */
export function sameOwner({ uid, gid }: Owner): Owner {
  return { uid, gid };
}

export function ownerOf(source: Owner, { owner }: CopyRules): Owner {
  return typeof owner === "function" ? owner(source) : owner;
}

export function ownerOfFile({ uid, gid }: BigIntStats): Owner {
  return { uid: Number(uid), gid: Number(gid) };
}

/** How the copy of a file is described. @param xattrs all that the file has */
export function descriptionOf(
  { stats }: Pick<SourceNode, "stats">,
  xattrs: Description["xattrs"],
  rules: CopyRules,
): Description {
  return {
    owner: ownerOf(ownerOfFile(stats), rules),
    mode: modeOf(stats, rules),
    xattrs: xattrs.filter(([name]) => isAttributeCopied(name, rules)),
    accessed: stats.atimeNs,
    modified: stats.mtimeNs,
  };
}

function modeOf(stats: BigIntStats, rules: CopyRules): number {
  const mode = Number(stats.mode) & 0o7777;
  // Of a directory they only say who owns what is made in it.
  return rules.trusted || stats.isDirectory() ? mode : mode & ~SET_ID;
}

export function isAttributeCopied(name: Buffer, rules: CopyRules): boolean {
  const text = name.toString("latin1");
  // Overlay's own marks would make other files of these.
  if (text.startsWith("trusted.overlay.") || text.startsWith("user.overlay.")) return false;
  return rules.trusted || text.startsWith("user.");
}

/** How much a copy made of what, and what it left out. */
export class CopyCount {
  /** Of content, holes left out. */
  bytes = 0;
  files = 0;
  devices = 0;
  sockets = 0;
  /** Directories of the kernel's own file systems. */
  kernelDirectories = 0;
}
