import { parseArgs } from "node:util";
import { DRIVER_KINDS, type DriverKind } from "../../system/support/driver-places.ts";

export const USAGE = `usage: npm run bench:scale -- [options]

  --drivers LIST  of ${DRIVER_KINDS.map(({ title }) => title).join(",")} (default: all)
  --count N       containers, a multiple of three (default 300)`;

/** The columns of the table: the first third of the containers, the second, the last. */
export const PARTS = 3;

export interface ScaleOptions {
  readonly kinds: readonly DriverKind[];
  readonly count: number;
}

/** @throws Error for what can't be understood */
export function parseOptions(argv: readonly string[]): ScaleOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: { drivers: { type: "string" }, count: { type: "string", default: "300" } },
  });
  const titles = DRIVER_KINDS.map(({ title }) => title);
  const wanted = values.drivers?.split(",") ?? titles;
  const unknown = wanted.find((word) => !titles.includes(word));
  if (unknown !== undefined)
    throw new Error(`--drivers: "${unknown}" is none of ${titles.join(", ")}`);
  const count = Number(values.count);
  if (!Number.isInteger(count) || count < PARTS || count % PARTS !== 0)
    throw new Error(`--count: "${values.count}" is no multiple of ${PARTS}`);
  return { kinds: DRIVER_KINDS.filter(({ title }) => wanted.includes(title)), count };
}
