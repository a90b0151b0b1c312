import { DRIVER_KINDS, type DriverKind } from "../../storage/driver-name.ts";
import { TsimgError } from "../../sys/error.ts";

/** What is measured: a driver, where `vfs` that shares blocks counts as one of its own. */
export type BenchDriver = DriverKind | "reflink";

export interface PlaceWish {
  readonly kind: BenchDriver;
  /** A pool of the user's store, to work in; else one is made. */
  readonly pool: string | undefined;
  /** 1, or more when the same driver stands more than once on the list. */
  readonly copy: number;
}

/** In the order in which they are shown. */
export const BENCH_DRIVERS: readonly BenchDriver[] = DRIVER_KINDS.flatMap((kind) =>
  kind === "vfs" ? (["reflink", "vfs"] as const) : [kind],
);

/** @throws TsimgError ERR_DRIVER for what is no driver */
export function parseWishes(list: string): readonly PlaceWish[] {
  const seen = new Map<string, number>();
  return list.split(",").map((word) => {
    const text = word.trim();
    const [, name = text, pool] = /^([^:]*):(.+)$/.exec(text) ?? [];
    const kind = BENCH_DRIVERS.find((each) => each === name);
    if (kind === undefined)
      throw new TsimgError("ERR_DRIVER", `there is no storage driver '${text.slice(0, 64)}'`, {
        hint: `--driver takes a list of ${BENCH_DRIVERS.join(", ")}, each with :POOL if you like`,
      });
    const copy = (seen.get(text) ?? 0) + 1;
    seen.set(text, copy);
    return { kind, pool, copy };
  });
}

/** All of them, once. */
export function everyDriver(): readonly PlaceWish[] {
  return BENCH_DRIVERS.map((kind) => ({ kind, pool: undefined, copy: 1 }));
}
