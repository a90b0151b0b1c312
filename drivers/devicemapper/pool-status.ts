import { TsimgError } from "../../src/sys/error.ts";

/** Bytes. */
export interface Share {
  readonly used: number;
  readonly total: number;
}

export interface ThinPoolStatus {
  /** Where files are. */
  readonly data: Share;
  /** Which blocks are whose. When it is full the kernel makes the pool read-only. */
  readonly metadata: Share;
  /** `out_of_data_space`: writes that need a new block fail. `fail`: nothing works. */
  readonly mode: "rw" | "ro" | "out_of_data_space" | "fail";
}

/** Bytes of a block of metadata; the kernel's choice. */
const METADATA_BLOCK = 4096;

/** No snapshot is begun in a pool of which less than this part is free. */
export const LEAST_FREE = 0.1;

/**
 * @param line       what the target `thin-pool` says
 * @param blockBytes bytes of a data block
 * @see Documentation/admin-guide/device-mapper/thin-provisioning.rst, "Status"
 */
export function parsePoolStatus(line: string, blockBytes: number): ThinPoolStatus {
  const match = /^\d+ (\d+)\/(\d+) (\d+)\/(\d+) \S+ (rw|ro|out_of_data_space) /.exec(line);
  const [metadataUsed = 0, metadataTotal = 0, dataUsed = 0, dataTotal = 0] =
    match?.slice(1, 5).map(Number) ?? [];
  return {
    data: { used: dataUsed * blockBytes, total: dataTotal * blockBytes },
    metadata: { used: metadataUsed * METADATA_BLOCK, total: metadataTotal * METADATA_BLOCK },
    mode: (match?.[5] as "rw" | undefined) ?? "fail",
  };
}

/**
 * Refuses to begin something in a pool that is almost full: a write that finds it full is
 * not refused to who made it but fails later, when the kernel flushes, and can't be undone.
 * @throws TsimgError ERR_NO_SPACE, with which of data and metadata it is
 */
export function requireRoom(pool: string, status: ThinPoolStatus): void {
  requireWorking(pool, status);
  for (const which of ["data", "metadata"] as const) {
    const { used, total } = status[which];
    if (total - used < total * LEAST_FREE) throw noSpace(pool, which, status[which], "almost ");
  }
}

/** @throws TsimgError ERR_NO_SPACE when writes may have failed for want of space */
export function requireNotFull(pool: string, status: ThinPoolStatus): void {
  requireWorking(pool, status);
  if (status.mode === "out_of_data_space" || status.data.used === status.data.total)
    throw noSpace(pool, "data", status.data);
}

function requireWorking(pool: string, { mode, metadata }: ThinPoolStatus): void {
  if (mode !== "fail" && mode !== "ro") return;
  throw new TsimgError(
    "ERR_DRIVER",
    `thin pool '${pool}' ${mode === "ro" ? "was made read-only by the kernel" : "has failed"}: ${shareOf(metadata)} of metadata used`,
    {
      hint: "end its containers, detach it, and repair the metadata with thin_check and thin_repair",
    },
  );
}

function noSpace(pool: string, which: string, share: Share, how = ""): TsimgError {
  return new TsimgError(
    "ERR_NO_SPACE",
    `thin pool '${pool}' is ${how}full: ${shareOf(share)} of ${which} used`,
    { hint: "remove images or containers (tsimg rmi, tsimg rm), or use a larger pool" },
  );
}

function shareOf({ used, total }: Share): string {
  return total >= 1e9
    ? `${(used / 1e9).toFixed(1)} of ${(total / 1e9).toFixed(1)} GB`
    : `${(used / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`;
}
