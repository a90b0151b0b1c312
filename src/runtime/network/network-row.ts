/** The network of containers that ask for none in particular. */
export const DEFAULT_NETWORK = "bridge";

/** One network as the database keeps it. */
export interface NetworkRow {
  readonly name: string;
  /** 64 hex digits. */
  readonly id: string;
  readonly driver: "bridge";
  /** Name of the host's interface. */
  readonly bridge: string;
  /** `address/prefix`. */
  readonly subnet: string;
  readonly gateway: string;
  readonly subnet6: string | null;
  readonly gateway6: string | null;
  /** The part of the subnet, `address/prefix`, of which nobody has to ask; null for all of it. */
  readonly ip_range: string | null;
  readonly ip_range6: string | null;
  /** 1: nothing gets in or out. */
  readonly internal: number;
  /** Bytes; null until the bridge is first made, unless an option says it. */
  readonly mtu: number | null;
  /** The IPv4 address given out most recently. */
  readonly last_address: string | null;
  /** Where its bridge was made; see `standing` in ensure-networks.ts. */
  readonly up: string | null;
  /** JSON objects of strings. */
  readonly options: string;
  readonly labels: string;
  /** RFC 3339. */
  readonly created: string;
}

/** A container's place in a network, from before it starts until somebody saw its end. */
export interface MemberRow {
  readonly network: string;
  /** 64 hex digits. */
  readonly container: string;
  readonly address: string;
  readonly address6: string | null;
  readonly mac: string;
  /** In the container: eth0, eth1, … */
  readonly interface: string;
  /** With its domain, when it has one. */
  readonly hostname: string;
  /** JSON list of names. */
  readonly aliases: string;
}

/** A port of the host that leads to a container. */
export interface PublishedPort {
  /** `0.0.0.0` and `::` are all addresses. */
  readonly host_address: string;
  readonly host_port: number;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly container: string;
  readonly container_port: number;
  /** The container's address that it leads to. */
  readonly target: string;
}
