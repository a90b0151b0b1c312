import type { Database } from "../../store/database.ts";
import { recordEvent } from "../../store/events.ts";
import { tellMounts } from "../volume/volume-events.ts";
import type { ContainerOptions, ContainerRow, ExitRecord } from "./container.ts";

/**
 * Records something that happened to a container.
 *
 * @param more attributes, beside its labels, its image and its name
 * @param time RFC 3339; now unless it is known
 */
export function tellContainer(
  database: Database,
  row: ContainerRow,
  action: string,
  more: Readonly<Record<string, string>> = {},
  time?: string,
): void {
  const { labels } = JSON.parse(row.options) as ContainerOptions;
  const attributes = { ...labels, image: row.image, name: row.name, ...more };
  const event = { type: "container", action, actor: row.id, attributes };
  recordEvent(database, { ...event, ...(time === undefined ? {} : { time }) });
}

/** Records how a container has ended, at the time when it did. */
export function tellEnd(database: Database, row: ContainerRow, exit: ExitRecord): void {
  const { finishedAt, exitCode } = exit;
  if (exit.oomKilled) tellContainer(database, row, "oom", {}, finishedAt);
  tellContainer(database, row, "die", { exitCode: String(exitCode) }, finishedAt);
  const { points } = JSON.parse(row.options) as ContainerOptions;
  tellMounts(database, row.id, points, "unmount");
}
