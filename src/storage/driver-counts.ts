import { TsimgError } from "../sys/error.ts";
import { shownDriver } from "./choose-driver.ts";
import type { StorageContext } from "./storage-context.ts";

export interface DriverCount {
  readonly Name: string;
  readonly Layers: number;
  readonly Containers: number;
}

/** What lies in each driver that is in use. */
export function driverCounts(context: StorageContext): readonly DriverCount[] {
  const rows = context.database.all<{ driver: string; layers: number; others: number }>(
    `select driver, sum(kind = 'committed') as layers, sum(kind != 'committed') as others
     from snapshots where state = 'ready' group by driver order by driver`,
  );
  return rows.map(({ driver, layers, others }) => ({
    Name: nameFor(context, driver),
    Layers: layers,
    Containers: others,
  }));
}

/** Its pool, or this tsimg's driver of that name, may be gone. */
function nameFor(context: StorageContext, driver: string): string {
  try {
    return shownDriver(context, driver);
  } catch (error) {
    if (error instanceof TsimgError) return driver;
    throw error;
  }
}
