import { ownIdentity } from "../../store/process-identity.ts";
import { removeCgroups } from "../cgroup/remove-group.ts";
import { reclaimNetwork } from "../network/reclaim-network.ts";
import type { Container } from "./container.ts";
import { tellEnd } from "./container-events.ts";
import type { ContainerStore } from "./container-store.ts";

/** Docker's status of a container that couldn't be started, for reasons of its surroundings. */
const UNKNOWN = 128;

/**
 * Records that a start which this process had claimed came to nothing, before there was a
 * launcher. No restart policy tries again, as with docker.
 *
 * @param error one line that says why
 */
export function failStart(
  containers: ContainerStore,
  { row, options }: Container,
  error: string,
): void {
  const finishedAt = new Date().toISOString();
  const exit = { exitCode: UNKNOWN, signal: 0, oomKilled: false, finishedAt, error };
  reclaimNetwork(containers.networks, row.id);
  removeCgroups(options.cgroups);
  const { database } = containers;
  database.transaction(() => {
    const sql = `update containers set exit = ?, stop_asked = 1
      where id = ? and starter = ? and exit is null`;
    const changed = database.run(sql, JSON.stringify(exit), row.id, ownIdentity());
    if (changed > 0) tellEnd(database, row, exit);
  });
}
