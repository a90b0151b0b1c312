import { linkSync, lstatSync, mkdirSync, rmdirSync, rmSync, symlinkSync } from "node:fs";
import { tolerating } from "../sys/errno.ts";
import { makeNode, S_IFCHR, S_IFIFO } from "../sys/file-node.ts";
import type { FileSink, LayerTarget, OnRefused } from "./layer-target.ts";
import { setOwnerAndMode, setTime, setXattrs } from "./metadata.ts";
import { NewFile } from "./new-file.ts";
import { type ByteString, fsPath } from "./tar/byte-string.ts";
import type { TarEntry, TarTime } from "./tar/entry.ts";

/**
 * The working directory, into which a layer is written in overlay form.
 *
 * The umask is 0.
 */
export class DiskTarget implements LayerTarget {
  look(path: ByteString): "directory" | "other" | undefined {
    const stat = tolerating(["ENOENT"], () => lstatSync(fsPath(path)));
    if (stat === undefined) return undefined;
    return stat.isDirectory() ? "directory" : "other";
  }

  makeFile(path: ByteString, entry: TarEntry): FileSink {
    return new NewFile(path, entry);
  }

  makeDirectory(path: ByteString): void {
    mkdirSync(fsPath(path), 0o755);
  }

  makeSymlink(path: ByteString, target: ByteString): void {
    symlinkSync(fsPath(target), fsPath(path));
  }

  makeFifo(path: ByteString, mode: number): void {
    makeNode(fsPath(path), S_IFIFO | mode, 0);
  }

  makeWhiteout(path: ByteString): boolean {
    const made = tolerating(["EEXIST", "ENOENT", "ENOTDIR"], () => {
      makeNode(fsPath(path), S_IFCHR, 0);
      return true;
    });
    return made === true;
  }

  link(target: ByteString, path: ByteString): void {
    linkSync(fsPath(target), fsPath(path));
  }

  removeDirectory(path: ByteString): boolean {
    return tolerating(["ENOTEMPTY"], () => rmdirSync(fsPath(path)) ?? true) === true;
  }

  remove(path: ByteString): void {
    rmSync(fsPath(path), { recursive: true });
  }

  describe(path: ByteString, entry: TarEntry, refused: OnRefused): void {
    const at = path === "" ? "." : fsPath(path);
    setOwnerAndMode(at, entry);
    if (entry.xattrs.size > 0) setXattrs(at, entry, refused);
    setTime(at, entry.mtime);
  }

  setTime(path: ByteString, time: TarTime): void {
    setTime(path === "" ? "." : fsPath(path), time);
  }
}
