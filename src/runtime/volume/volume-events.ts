import type { Database } from "../../store/database.ts";
import { recordEvent } from "../../store/events.ts";
import type { MountPoint } from "../mounts/mount-point.ts";

const DRIVER = { driver: "local" };

/** Records what happened to a volume. Call it inside the transaction that makes it happen. */
export function tellVolume(database: Database, name: string, action: "create" | "destroy"): void {
  recordEvent(database, { type: "volume", action, actor: name, attributes: DRIVER });
}

/** Records that a container that starts has its volumes, or one that has ended no longer. */
export function tellMounts(
  database: Database,
  container: string,
  points: readonly MountPoint[],
  action: "mount" | "unmount",
): void {
  for (const point of points) {
    if (point.type !== "volume") continue;
    const { destination, readonly } = point;
    const how = { destination, propagation: "", "read/write": String(!readonly) };
    const attributes = { ...DRIVER, container, ...(action === "mount" ? how : {}) };
    recordEvent(database, { type: "volume", action, actor: point.name, attributes });
  }
}
