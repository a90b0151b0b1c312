import { dirname } from "node:path";
import { promisify } from "node:util";
import { gzip, type ZlibOptions } from "node:zlib";
import { pack } from "tar-stream";
import { type DiffId, type Digest, sha256Digest } from "../../oci/digest.ts";

const compress = promisify<Buffer, ZlibOptions, Buffer>(gzip);

/** Paths are relative to the container's root; those of directories end without a slash. */
export type ArchiveEntry =
  | { readonly type: "directory"; readonly path: string; readonly mode: number }
  | { readonly type: "symlink"; readonly path: string; readonly target: string }
  | {
      readonly type: "file";
      readonly path: string;
      readonly mode: number;
      readonly content: Buffer;
    };

export interface LayerArchive {
  readonly diffId: DiffId;
  readonly digest: Digest;
  /** The tar archive, compressed by gzip. */
  readonly bytes: Buffer;
}

/**
 * Writes one layer. Everything in it belongs to root.
 * @param level of gzip: 1 is the fastest, 9 the smallest
 */
export async function packLayer(
  entries: readonly ArchiveEntry[],
  mtime: Date,
  level = 6,
): Promise<LayerArchive> {
  const archive = pack();
  for (const entry of entries) {
    const { type, path } = entry;
    const header = { name: path, type, mtime, uid: 0, gid: 0 };
    if (type === "file") archive.entry({ ...header, mode: entry.mode }, entry.content);
    else if (type === "directory") archive.entry({ ...header, mode: entry.mode });
    else archive.entry({ ...header, linkname: entry.target, mode: 0o777 });
  }
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  const tar = Buffer.concat(chunks);
  const bytes = await compress(tar, { level });
  return { diffId: sha256Digest(tar) as string as DiffId, digest: sha256Digest(bytes), bytes };
}

/** A directory entry for each directory that holds something, parents first. */
export function directoriesOf(entries: readonly ArchiveEntry[]): readonly ArchiveEntry[] {
  const paths = new Set<string>();
  for (const { path } of entries)
    for (let parent = dirname(path); parent !== "."; parent = dirname(parent)) paths.add(parent);
  return [...paths].sort().map((path) => ({ type: "directory", path, mode: 0o755 }));
}
