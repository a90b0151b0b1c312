import type { Database } from "../../../src/store/database.ts";
import { randomHex } from "../../../src/sys/random.ts";

/** Rows as a container has them that is being started. @returns its ID */
export function insertContainer(database: Database, name: string): string {
  const id = randomHex(64);
  database.run(
    `insert into snapshots (id, driver, kind, state, created)
     values (?, 'overlay2', 'active', 'ready', '')`,
    id,
  );
  database.run(
    `insert into containers
       (id, name, image, manifest, snapshot, created, auto_remove, owner, options)
     values (?, ?, '', '', ?, '', 0, '', '{"cgroups":[]}')`,
    id,
    name,
    id,
  );
  return id;
}
