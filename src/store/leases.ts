import { randomHex } from "../sys/random.ts";
import type { Database } from "./database.ts";
import { isAlive, ownIdentity } from "./process-identity.ts";

export type HeldKind = "content" | "chain" | "manifest";

/**
 * Keeps things from collection while a command works with them. Hold first, look second:
 * what is there when you look then stays.
 */
export class Lease implements Disposable {
  private readonly database: Database;
  private readonly id = randomHex(32);

  constructor(database: Database) {
    this.database = database;
    database.run("insert into leases (id, owner) values (?, ?)", this.id, ownIdentity());
  }

  hold(kind: HeldKind, refs: readonly string[]): void {
    this.database.transaction(() => {
      for (const ref of refs)
        this.database.run(
          "insert or ignore into lease_holds (lease, kind, ref) values (?, ?, ?)",
          this.id,
          kind,
          ref,
        );
    });
  }

  [Symbol.dispose](): void {
    this.database.run("delete from leases where id = ?", this.id);
  }
}

/** Drops the leases of processes that are gone. Call inside a transaction. */
export function dropDeadLeases(database: Database): void {
  for (const lease of database.all<{ id: string; owner: string }>("select id, owner from leases"))
    if (!isAlive(lease.owner)) database.run("delete from leases where id = ?", lease.id);
}
