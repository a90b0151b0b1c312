import type { StorageOptions } from "../../drivers/driver.ts";
import { reflinks } from "../../drivers/vfs/reflinks.ts";
import type { App } from "../app.ts";
import { TsimgError } from "../sys/error.ts";

/** The values of `--storage-opt KEY=VALUE`. @throws TsimgError ERR_USAGE */
export function parseStorageOptions(texts: readonly string[]): StorageOptions {
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf("=");
      if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
      throw new TsimgError("ERR_USAGE", `--storage-opt '${text}' is not KEY=VALUE`, {
        hint: "for example --storage-opt size=10G",
      });
    }),
  );
}

/** A driver that copies every layer in full does so in nobody's silence. */
export function announceFullCopies(app: App, driver: string): void {
  if (!/^vfs(:|$)/.test(driver) || reflinks(app.snapshots.driver(driver).home)) return;
  process.stderr.write(
    `driver ${driver}: every layer and container is a full copy of what it builds on\n`,
  );
}

/** The driver of a copy that is there: `reflink` is no driver's name, all others are. */
export function copyIn(app: App, driver: string): string {
  return /^reflink(:|$)/.test(driver) ? app.chooseDriver(driver) : driver;
}
