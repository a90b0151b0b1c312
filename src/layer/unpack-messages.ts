import type { ErrorCode } from "../sys/error.ts";
import type { Compression } from "./inflate.ts";
import type { UnpackResult } from "./remainder.ts";
import type { TarLimits } from "./tar/limits.ts";

/** What an unpack process is told once: the layer to unpack. */
export interface UnpackJob {
  /** The blob, possibly still growing. */
  readonly blob: string;
  readonly compression: Compression;
  /** Bytes the layer may have when decompressed. */
  readonly maxBytes: number;
  readonly limits: TarLimits;
  /** Whether to compute the diffID. */
  readonly digest: boolean;
  /** An empty directory, which becomes all that the process can reach. */
  readonly directory: string;
  readonly into: UnpackInto;
  /** Whether files on disk all become root's: there is no other ID. */
  readonly oneOwner?: boolean;
}

export type UnpackInto =
  /** Files in overlay form. */
  | { readonly form: "overlay" }
  /** One EROFS image, its metadata not yet written. */
  | { readonly form: "image" }
  /** The archive itself, inflated: no entry is read. */
  | { readonly form: "spool"; readonly file: string };

/** Parent to unpack process, one JSON text a line. */
export type ToUnpacker =
  | { readonly job: UnpackJob }
  /** So many bytes of the blob are there now; `last` when there will be no more. */
  | { readonly available: number; readonly last: boolean };

/** Unpack process to parent, one JSON text a line. */
export type FromUnpacker =
  /** Bytes of the blob that were read, and bytes that they were inflated to. */
  | { readonly progress: number; readonly inflated: number }
  | { readonly result: UnpackResult }
  | {
      readonly failure: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly hint?: string;
        /** Of the system call that failed, such as ENOSPC. */
        readonly errno?: string;
      };
    };
