import type { Digest } from "../oci/digest.ts";

/** What becomes of one layer; a later event of a layer takes the place of the earlier. */
export interface LayerEvent {
  readonly digest: Digest;
  readonly phase: "waiting" | "downloading" | "unpacking" | "stitching" | "done" | "exists";
  /** Bytes of the blob that have been fetched, or unpacked. */
  readonly current: number;
  readonly total: number;
}

export type OnLayerEvent = (event: LayerEvent) => void;
