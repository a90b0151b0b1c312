import type { Database } from "../../store/database.ts";
import { TsimgError } from "../../sys/error.ts";

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;

/** @throws TsimgError ERR_USAGE */
export function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw new TsimgError("ERR_USAGE", `invalid container name '${name.slice(0, 160)}'`, {
    hint: "a name starts with a letter or digit, then letters, digits, '_', '.' and '-' may follow",
  });
}

/** Call inside the transaction that gives the name. @throws TsimgError ERR_NAME_IN_USE */
export function refuseTaken(database: Database, name: string): void {
  const holder = database.get<{ id: string }>("select id from containers where name = ?", name);
  if (holder === undefined) return;
  throw new TsimgError(
    "ERR_NAME_IN_USE",
    `the container name '${name}' is in use by ${holder.id.slice(0, 12)}`,
    { hint: `remove it with "tsimg rm ${name}", or choose another --name` },
  );
}
