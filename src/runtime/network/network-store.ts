import type { Database } from "../../store/database.ts";
import { TsimgError } from "../../sys/error.ts";
import { randomHex } from "../../sys/random.ts";
import { formatAddress } from "./address.ts";
import { freeDefaultSubnet, freeSubnet6, freeUserSubnet } from "./free-subnet.ts";
import { hostSubnets, interfaceExists } from "./host-interfaces.ts";
import type { NetworkContext } from "./network-context.ts";
import { tellNetwork } from "./network-events.ts";
import { bridgeName, networkNames } from "./network-names.ts";
import {
  bridgeOptions,
  checkNetworkName,
  chosenRanges,
  type NetworkOptions,
  type Range,
  withFirstAsGateway,
} from "./network-options.ts";
import { DEFAULT_NETWORK, type MemberRow, type NetworkRow } from "./network-row.ts";
import { removeStrays } from "./stray-bridges.ts";
import { formatSubnet, overlaps, readSubnet, type Subnet } from "./subnet.ts";

const DEFAULT_OPTIONS: NetworkOptions = {
  name: DEFAULT_NETWORK,
  subnets: [],
  gateways: [],
  ranges: [],
  ipv6: false,
  internal: false,
  labels: {},
  options: {},
};

/**
 * The networks of a store and who is in them. Rows alone: bridges are made by
 * `ensureNetworks` when a container first needs them.
 */
export class NetworkStore {
  readonly database: Database;
  readonly root: string;
  private readonly defaultSubnets: readonly string[];

  constructor({ database, root, defaultSubnets }: NetworkContext) {
    this.database = database;
    this.root = root;
    this.defaultSubnets = defaultSubnets;
  }

  /** By name. */
  list(): readonly NetworkRow[] {
    return this.database.all<NetworkRow>("select * from networks order by name");
  }

  /** The network of that name, ID, or start of an ID; the default one is made when asked for. */
  find(text: string): NetworkRow | undefined {
    const named = this.named(text);
    if (named !== undefined) return named;
    if (text === DEFAULT_NETWORK) return this.makeDefault();
    if (!/^[0-9a-f]+$/.test(text)) return undefined;
    const sql = "select * from networks where id between ? and ?";
    const [found, other] = this.database.all<NetworkRow>(sql, text, `${text}g`);
    if (other === undefined) return found;
    throw new TsimgError("ERR_NO_SUCH_NETWORK", `network ID "${text}" is ambiguous`, {
      hint: "give more of its digits",
    });
  }

  /** @throws TsimgError ERR_NO_SUCH_NETWORK */
  existing(text: string): NetworkRow {
    const network = this.find(text);
    if (network !== undefined) return network;
    throw new TsimgError("ERR_NO_SUCH_NETWORK", `network "${text.slice(0, 128)}" not found`, {
      hint: '"tsimg network ls" lists them, "tsimg network create" makes one',
    });
  }

  /**
   * Makes a network; only its row, so that it costs nothing until it is used.
   *
   * @throws TsimgError ERR_USAGE, ERR_NAME_IN_USE, ERR_IN_USE for addresses that the host or
   *         another network has
   */
  create(options: NetworkOptions): NetworkRow {
    checkNetworkName(options.name);
    const chosen = chosenRanges(options);
    const { bridge, mtu } = bridgeOptions(options.options);
    if (bridge !== undefined && interfaceExists(bridge))
      throw new TsimgError("ERR_NAME_IN_USE", `the host already has an interface "${bridge}"`, {
        hint: "choose another com.docker.network.bridge.name",
      });
    const isDefault = options.name === DEFAULT_NETWORK;
    return this.database.transaction(() => {
      this.refuseTakenName(options.name, bridge);
      // Of a store that was deleted, perhaps to make room for this one.
      if (isDefault) removeStrays(this);
      const onHost = hostSubnets();
      const taken = [...onHost, ...this.list().flatMap(subnetsOf)];
      for (const range of [chosen.v4, chosen.v6]) refuseTaken(range, onHost, this.list());
      const free = isDefault ? freeDefaultSubnet : freeUserSubnet;
      const v4 = chosen.v4 ?? withFirstAsGateway(free(taken));
      const v6 = chosen.v6 ?? (options.ipv6 ? withFirstAsGateway(freeSubnet6(taken)) : undefined);
      const id = randomHex(64);
      const own = isDefault ? networkNames(this.root).bridge : bridgeName(id);
      this.insert(options, { id, bridge: bridge ?? own, mtu: mtu ?? null, v4, v6 });
      tellNetwork(this.database, { id, name: options.name, driver: "bridge" }, "create");
      return this.existing(options.name);
    });
  }

  /**
   * Deletes a network's row. Call it inside a transaction.
   *
   * @throws TsimgError ERR_IN_USE while containers are in it
   */
  delete(network: NetworkRow): void {
    const members = this.members(network.name);
    if (members.length > 0) {
      const containers = members.map(({ container }) => container.slice(0, 12)).join(", ");
      throw new TsimgError("ERR_IN_USE", `network "${network.name}" has active endpoints`, {
        hint: `stop or disconnect these containers first: ${containers.slice(0, 200)}`,
      });
    }
    if (this.database.run("delete from networks where id = ?", network.id) > 0)
      tellNetwork(this.database, network, "destroy");
  }

  members(network: string): readonly MemberRow[] {
    const sql = "select * from network_members where network = ? order by container";
    return this.database.all<MemberRow>(sql, network);
  }

  /** A container's places in networks, eth0 first. */
  memberships(container: string): readonly MemberRow[] {
    const sql =
      "select * from network_members where container = ? order by length(interface), interface";
    return this.database.all<MemberRow>(sql, container);
  }

  named(name: string): NetworkRow | undefined {
    return this.database.get<NetworkRow>("select * from networks where name = ?", name);
  }

  /** Somebody else may be making it at the same time. */
  private makeDefault(): NetworkRow {
    try {
      return this.create({ ...DEFAULT_OPTIONS, subnets: this.defaultSubnets });
    } catch (error) {
      const made = this.named(DEFAULT_NETWORK);
      if (made === undefined) throw error;
      return made;
    }
  }

  private refuseTakenName(name: string, bridge: string | undefined): void {
    if (this.named(name) !== undefined)
      throw new TsimgError("ERR_NAME_IN_USE", `network with name ${name} already exists`, {
        hint: "choose another name, or remove it first",
      });
    const sql = "select name from networks where bridge = ?";
    const other = this.database.get<{ name: string }>(sql, bridge ?? "");
    if (other === undefined) return;
    const what = `bridge "${bridge}" belongs to network "${other.name}"`;
    throw new TsimgError("ERR_NAME_IN_USE", what, { hint: "choose another bridge name" });
  }

  private insert(
    options: NetworkOptions,
    made: {
      readonly id: string;
      readonly bridge: string;
      readonly mtu: number | null;
      readonly v4: Range;
      readonly v6: Range | undefined;
    },
  ): void {
    const { id, bridge, mtu, v4, v6 } = made;
    this.database.run(
      `insert into networks (name, id, driver, bridge, subnet, gateway, subnet6, gateway6,
         ip_range, ip_range6, internal, mtu, options, labels, created)
       values (?, ?, 'bridge', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      options.name,
      id,
      bridge,
      formatSubnet(v4.subnet),
      formatAddress(v4.gateway),
      v6 === undefined ? null : formatSubnet(v6.subnet),
      v6 === undefined ? null : formatAddress(v6.gateway),
      v4.part === undefined ? null : formatSubnet(v4.part),
      v6?.part === undefined ? null : formatSubnet(v6.part),
      options.internal ? 1 : 0,
      mtu,
      JSON.stringify(options.options),
      JSON.stringify(options.labels),
      new Date().toISOString(),
    );
  }
}

/**
 * A chosen subnet may lie within a wider route of the host, as of a VPN: the bridge's is then
 * the narrower one. What is no wider than the subnet would be cut off by it.
 */
function refuseTaken(
  range: Range | undefined,
  onHost: readonly Subnet[],
  networks: readonly NetworkRow[],
): void {
  if (range === undefined) return;
  const { subnet } = range;
  const clashes = [
    ...onHost.filter(({ prefix }) => prefix >= subnet.prefix),
    ...networks.flatMap(subnetsOf),
  ];
  const other = clashes.find((each) => overlaps(each, subnet));
  if (other === undefined) return;
  const what = `subnet ${formatSubnet(subnet)} overlaps ${formatSubnet(other)}`;
  throw new TsimgError("ERR_IN_USE", `${what}, which is in use`, {
    hint: "choose another --subnet: `ip route` and `tsimg network ls` show what is taken",
  });
}

function subnetsOf({ subnet, subnet6 }: NetworkRow): readonly Subnet[] {
  return [subnet, subnet6 ?? ""].flatMap((text) => readSubnet(text) ?? []);
}
