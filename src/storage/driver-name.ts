import { TsimgError } from "../sys/error.ts";

/** Every driver there is, in the order in which they are shown. */
export const DRIVER_KINDS = ["overlay2", "erofs", "btrfs", "zfs", "devicemapper", "vfs"] as const;

export type DriverKind = (typeof DRIVER_KINDS)[number];

/** `zfs:fast` is the driver `zfs` on the pool `fast`; without a pool it lies by the root. */
export interface DriverName {
  readonly kind: DriverKind;
  readonly pool: string | undefined;
}

const POOL_NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/;

/**
 * The name of a driver as it stands in the database.
 * @param source where the name comes from, for the message: `--driver`
 * @throws TsimgError ERR_DRIVER when there is no such driver
 */
export function parseDriverName(text: string, source?: string): DriverName {
  const [, word = text, pool] = /^([^:]*):(.*)$/s.exec(text) ?? [];
  const kind = DRIVER_KINDS.find((each) => each === word);
  const from = source === undefined ? "" : ` in ${source}`;
  if (kind === undefined)
    throw new TsimgError("ERR_DRIVER", `there is no storage driver '${text.slice(0, 64)}'${from}`, {
      hint: hintFor(word),
    });
  if (pool !== undefined) checkPoolName(pool);
  return { kind, pool };
}

export function formatDriverName({ kind, pool }: DriverName): string {
  return pool === undefined ? kind : `${kind}:${pool}`;
}

/** @throws TsimgError ERR_USAGE for a name that can't be a pool's */
export function checkPoolName(name: string): void {
  if (POOL_NAME.test(name)) return;
  throw new TsimgError("ERR_USAGE", `'${name.slice(0, 64)}' can't be the name of a pool`, {
    hint: "lower-case letters, digits, - and _, at most 32, the first a letter or digit",
  });
}

function hintFor(word: string): string {
  if (word === "overlay") return "it is called overlay2";
  if (word === "ext4") return "an ext4 pool is for overlays: --driver overlay2:POOL";
  if (word === "xfs") return "an xfs pool holds copies that share blocks: --driver reflink";
  return `there are ${DRIVER_KINDS.join(", ")}, and reflink: vfs where copies share blocks`;
}
