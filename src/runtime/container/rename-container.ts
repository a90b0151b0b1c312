import { updateHosts } from "../network/update-hosts.ts";
import type { ContainerRow } from "./container.ts";
import { checkName, refuseTaken } from "./container-name.ts";
import type { ContainerStore } from "./container-store.ts";

/**
 * Gives a container another name, which those on its networks then know it by.
 * @throws TsimgError ERR_NAME_IN_USE, ERR_USAGE
 */
export function renameContainer(containers: ContainerStore, row: ContainerRow, name: string): void {
  checkName(name);
  const { database } = containers;
  database.transaction(() => {
    refuseTaken(database, name);
    database.run("update containers set name = ? where id = ?", name, row.id);
    containers.tell({ ...row, name }, "rename", { oldName: `/${row.name}` });
    const sql = "select network from network_members where container = ?";
    const networks = database.all<{ network: string }>(sql, row.id).map(({ network }) => network);
    if (networks.length > 0) updateHosts(containers.networks, networks);
  });
}
