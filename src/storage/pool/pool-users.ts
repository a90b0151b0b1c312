import type { Database } from "../../store/database.ts";

/** Who has snapshots in a pool. */
export interface PoolUsers {
  /** Names of containers. */
  readonly containers: readonly string[];
  /** Names of images that are unpacked there, or digests of those without a name. */
  readonly images: readonly string[];
  readonly snapshots: number;
}

/** Condition on a row `s` of `snapshots`; names of drivers hold no colon themselves. */
const ON_POOL = "substr(s.driver, instr(s.driver, ':') + 1) = ? and instr(s.driver, ':') > 0";

export function poolUsers(database: Database, pool: string): PoolUsers {
  const containers = database.all<{ name: string }>(
    `select c.name from containers c join snapshots s on s.id = c.snapshot
     where ${ON_POOL} order by c.name`,
    pool,
  );
  const images = database.all<{ name: string }>(
    `select distinct coalesce(i.name, m.digest) as name
     from snapshots s join manifests m on m.chain_id = s.chain_id
     left join images i on i.manifest = m.digest
     where ${ON_POOL} order by 1`,
    pool,
  );
  const count = database.get<{ count: number }>(
    `select count(*) as count from snapshots s where ${ON_POOL}`,
    pool,
  );
  return {
    containers: containers.map(({ name }) => name),
    images: images.map(({ name }) => name),
    snapshots: count?.count ?? 0,
  };
}

/**
 * Drops the rows of image layers in a pool whose file is lost, and with it the layers. Call
 * inside a transaction.
 */
export function forgetLayers(database: Database, pool: string): void {
  database.run(
    `delete from image_mounts where snapshot in (select id from snapshots s where ${ON_POOL})`,
    pool,
  );
  const leaves = `delete from snapshots as s where ${ON_POOL}
    and not exists (select 1 from snapshots c where c.parent = s.id)
    and not exists (select 1 from containers c where c.snapshot = s.id)`;
  while (database.run(leaves, pool) > 0);
}
