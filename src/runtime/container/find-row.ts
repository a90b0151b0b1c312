import type { Database } from "../../store/database.ts";
import { TsimgError } from "../../sys/error.ts";
import type { ContainerRow } from "./container.ts";

/**
 * The row of the container of that name, ID, or start of an ID: in this order.
 * @throws TsimgError ERR_NO_SUCH_CONTAINER when several have IDs that start so
 */
export function findRow(database: Database, text: string): ContainerRow | undefined {
  const named = database.all<ContainerRow>(
    "select * from containers where name = ? or id = ?",
    text.replace(/^\//, ""),
    text,
  );
  const found =
    named.length > 0 || !/^[0-9a-f]+$/.test(text) ? named : startingWith(database, text);
  if (found.length <= 1) return found[0];
  throw new TsimgError("ERR_NO_SUCH_CONTAINER", `container ID '${text}' is ambiguous`, {
    hint: "give more of its digits",
  });
}

function startingWith(database: Database, digits: string): readonly ContainerRow[] {
  const sql = "select * from containers where id between ? and ?";
  return database.all<ContainerRow>(sql, digits, `${digits}g`);
}
