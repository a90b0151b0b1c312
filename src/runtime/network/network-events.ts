import type { Database } from "../../store/database.ts";
import { recordEvent } from "../../store/events.ts";
import type { MemberRow, NetworkRow } from "./network-row.ts";

/** Records what happened to a network. Call it inside the transaction that makes it happen. */
export function tellNetwork(
  database: Database,
  { id, name, driver }: Pick<NetworkRow, "id" | "name" | "driver">,
  action: "create" | "destroy",
): void {
  recordEvent(database, { type: "network", action, actor: id, attributes: { name, type: driver } });
}

/** The same of a container that goes into a network or comes out of it. */
export function tellMember(
  database: Database,
  { network, container }: Pick<MemberRow, "network" | "container">,
  action: "connect" | "disconnect",
): void {
  const sql = "select id, name, driver from networks where name = ?";
  const row = database.get<Pick<NetworkRow, "id" | "name" | "driver">>(sql, network);
  if (row === undefined) return;
  const attributes = { container, name: row.name, type: row.driver };
  recordEvent(database, { type: "network", action, actor: row.id, attributes });
}
