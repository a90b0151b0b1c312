import type { ByteString } from "./tar/byte-string.ts";

/**
 * What an unpack process leaves to be done once the layer's parent is there, or by someone
 * with more privileges. Paths are relative to the layer's root and free of symlinks that
 * the layer itself made.
 */
export interface LayerRemainder {
  /** The root has no entry of its own: it keeps the parent's owner, mode, times, xattrs. */
  readonly rootImplied: boolean;
  /** The root is opaque: nothing below this layer shows. */
  readonly rootOpaque: boolean;
  /** Directories that no entry describes, parents first; not those made again. */
  readonly implied: readonly ByteString[];
  /** Directories that hide what lower layers have in them: marked so, or made again. */
  readonly opaque: readonly ByteString[];
  /** Whiteouts made as 0:0 devices: wrong where the parent has nothing to hide. */
  readonly whiteouts: readonly ByteString[];
  /** Hard links to what this layer didn't have when they stood in the archive. */
  readonly links: readonly { readonly path: ByteString; readonly target: ByteString }[];
  /** Device nodes: the unpack process may not make any. */
  readonly devices: readonly DeviceNode[];
  /** Extended attributes that it may not set; `value` in base64. */
  readonly xattrs: readonly {
    readonly path: ByteString;
    readonly name: ByteString;
    readonly value: string;
  }[];
}

export interface DeviceNode {
  /** All its names, which are hard links. */
  readonly paths: readonly ByteString[];
  readonly type: "char" | "block";
  readonly major: number;
  readonly minor: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** The outcome of unpacking one layer. */
export interface UnpackResult {
  /** Digest of the uncompressed archive; "" when none was asked for. */
  readonly diffId: string;
  /** File sizes as the archive states them, in bytes. */
  readonly bytes: number;
  /** Entries, whiteouts included. */
  readonly entries: number;
  readonly remainder: LayerRemainder;
}

/** Nothing is left to be done. */
export const NO_REMAINDER: LayerRemainder = {
  rootImplied: false,
  rootOpaque: false,
  implied: [],
  opaque: [],
  whiteouts: [],
  links: [],
  devices: [],
  xattrs: [],
};
