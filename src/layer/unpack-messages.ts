import type { ErrorCode } from "../sys/error.ts";
import type { Compression } from "./inflate.ts";
import type { UnpackResult } from "./remainder.ts";
import type { TarLimits } from "./tar/limits.ts";

/** What an unpack process is told once: the layer to unpack. */
export interface UnpackJob {
  /** The blob, possibly still growing. */
  readonly blob: string;
  /** Size of the whole blob, in bytes. */
  readonly size: number;
  readonly compression: Compression;
  /** The empty directory to write into. */
  readonly directory: string;
  /** Bytes the layer may have when decompressed. */
  readonly maxBytes: number;
  readonly limits: TarLimits;
}

/** Parent to unpack process, one JSON text a line. */
export type ToUnpacker =
  | { readonly job: UnpackJob }
  /** So many bytes of the blob are there now. */
  | { readonly available: number };

/** Unpack process to parent, one JSON text a line. */
export type FromUnpacker =
  | { readonly progress: number }
  | { readonly result: UnpackResult }
  | {
      readonly failure: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly hint?: string;
      };
    };
