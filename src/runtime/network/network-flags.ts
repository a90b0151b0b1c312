/** What a user asks of a container's network, as given: nothing is checked yet. */
export interface NetworkFlags {
  /** `bridge`, `none`, `host`, `container:ID`, `ns:PATH`, `NAME[:key=value,…]`. */
  readonly network: readonly string[];
  /** Another word for `network`. */
  readonly net: readonly string[];
  readonly networkAlias: readonly string[];
  readonly ip?: string;
  readonly ip6?: string;
  readonly macAddress?: string;
  readonly hostname?: string;
  readonly domainname?: string;
  /** `name:address`, or `name:host-gateway`. */
  readonly addHost: readonly string[];
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOption: readonly string[];
  /** `[[ip:][hostPort]:]containerPort[/protocol]`, each port or a range. */
  readonly publish: readonly string[];
  readonly publishAll: boolean;
  readonly expose: readonly string[];
}
