import type { ChainId } from "../oci/digest.ts";
import type { Snapshot } from "../snapshot/snapshot-rows.ts";
import type { SnapshotStore } from "../snapshot/snapshot-store.ts";
import { TsimgError } from "../sys/error.ts";

/**
 * The snapshot of a chain in the driver that a user means. A driver's plain name also means
 * one that lies on a pool: `zfs` is `zfs:fast` where that is the only one.
 *
 * @param wanted what the user wrote; without it any driver that has the chain
 * @param what   the chain in words, as in "image 'alpine'"
 * @throws TsimgError ERR_NO_SUCH_SNAPSHOT when it is not unpacked there; ERR_USAGE when
 *         several drivers are meant
 */
export function unpackedCopy(
  snapshots: SnapshotStore,
  chain: ChainId,
  wanted: string | undefined,
  what: string,
): Snapshot {
  const all = snapshots.driversOf(chain);
  const drivers = wanted === undefined ? all.slice(0, 1) : meant(all, wanted);
  if (drivers.length > 1)
    throw new TsimgError("ERR_USAGE", `${what} is unpacked in ${drivers.join(" and ")}`, {
      hint: `say which with --driver ${drivers[0]}`,
    });
  const [driver] = drivers;
  const snapshot = driver === undefined ? undefined : snapshots.byChain(driver, chain);
  if (snapshot !== undefined) return snapshot;
  const where = wanted === undefined ? "in no driver" : `not in driver '${wanted}'`;
  const hint =
    all.length > 0 ? `it is in ${all.join(", ")}` : '"tsimg pull" unpacks it, from what is here';
  throw new TsimgError("ERR_NO_SUCH_SNAPSHOT", `${what} is unpacked ${where}`, { hint });
}

/** Those of `drivers` that a name means: itself, else those of that kind on a pool. */
export function meant(drivers: readonly string[], wanted: string): readonly string[] {
  return drivers.includes(wanted)
    ? [wanted]
    : drivers.filter((driver) => driver.startsWith(`${wanted}:`));
}
