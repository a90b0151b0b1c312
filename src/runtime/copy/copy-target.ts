import { closeSync } from "node:fs";
import { posix } from "node:path";
import { TsimgError } from "../../sys/error.ts";
import type { CopyPath } from "./copy-argument.ts";
import { type CopyRoot, findAtPath, openDirectoryAt, throughLinks } from "./copy-root.ts";

/** Where a copy goes: a name in an open directory, or straight into that directory. */
export interface CopyTarget extends Disposable {
  readonly directory: number;
  readonly name: Buffer | undefined;
}

/** What is to be copied, as far as it decides where it goes. */
export interface CopySubject {
  readonly isDirectory: boolean;
  readonly path: CopyPath;
}

/**
 * Docker's rules: into a directory that exists goes the source under its own name, or what is
 * in it when it was written with `/.`; else the copy gets the destination's name, whose parent
 * must exist. A symlink at the destination is followed.
 *
 * @throws TsimgError ERR_STATE, ERR_NO_SUCH_PATH
 * @see docker cp, "Extended description"
 */
export function copyTarget(root: CopyRoot, path: CopyPath, subject: CopySubject): CopyTarget {
  const shown = root.shown(path.path);
  using there = findAtPath(root, path.path);
  if (there?.stats.isDirectory() === true) {
    const base = posix.basename(subject.path.path);
    const inside = subject.isDirectory && (subject.path.isContents || base === "");
    return target(openDirectoryAt(root, path.path), inside ? undefined : base);
  }
  if (there !== undefined && subject.isDirectory)
    throw new TsimgError("ERR_STATE", `cannot copy a directory onto the file '${shown}'`);
  if (there?.stats.isFile() === false)
    throw new TsimgError("ERR_USAGE", `'${shown}' is neither a directory nor a regular file`, {
      hint: "remove it first, if it is to be replaced",
    });
  if (there !== undefined && path.isDirectory)
    throw new TsimgError("ERR_NO_SUCH_PATH", `'${shown}' is not a directory`);
  if (path.isDirectory && !subject.isDirectory)
    throw new TsimgError("ERR_NO_SUCH_PATH", `no such directory: '${shown}'`, {
      hint: "make it first, or leave out the slash for a file of that name",
    });
  const final = throughLinks(root, path.path);
  return target(openDirectoryAt(root, posix.dirname(final)), posix.basename(final));
}

function target(directory: number, name: string | undefined): CopyTarget {
  return {
    directory,
    name: name === undefined ? undefined : Buffer.from(name),
    [Symbol.dispose]: () => closeSync(directory),
  };
}
