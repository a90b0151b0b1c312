// Prepares the network of several containers, as so many commands at the same time do.
//
//     node prepare-many.ts ROOT NAME COUNT
//
// Prints, when its standard input ends, `address address6 port` of each.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseNetworkFlags } from "../../../src/runtime/network/network-request.ts";
import { prepareNetwork } from "../../../src/runtime/network/prepare-network.ts";
import { Database } from "../../../src/store/database.ts";
import { insertContainer } from "./insert-container.ts";
import { NO_FLAGS } from "./no-flags.ts";

const [root = "", name = "", count = "0"] = process.argv.slice(2);
using database = new Database(join(root, "tsimg.db"));
const context = {
  database,
  root,
  defaultSubnets: [],
  stateDirectory: (id: string) => join(root, "run", id),
  isAlive: () => true,
};
const request = parseNetworkFlags({ ...NO_FLAGS, network: ["busy"], publish: ["20000-20099:80"] });

for await (const _chunk of process.stdin);
for (let number = 0; number < Number(count); number++) {
  const id = insertContainer(database, `${name}-${number}`);
  mkdirSync(context.stateDirectory(id), { recursive: true });
  prepareNetwork(context, { id, hostname: id.slice(0, 12), exposed: [] }, request);
  const [row] = database.all<{ address: string; address6: string; host_port: number }>(
    `select address, address6, host_port from network_members
     join published_ports using (container) where container = ?`,
    id,
  );
  process.stdout.write(`${row?.address} ${row?.address6} ${row?.host_port}\n`);
}
