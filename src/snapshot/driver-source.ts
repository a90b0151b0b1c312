import type { StorageDriver } from "../../drivers/driver.ts";

/** Where the store gets its drivers from, by their names in the database. */
export interface DriverSource {
  /** @throws TsimgError ERR_DRIVER when there is no driver of that name, or it can't work */
  get(name: string): StorageDriver;
  /** Those that may have something on disk. */
  present(): readonly StorageDriver[];
}
