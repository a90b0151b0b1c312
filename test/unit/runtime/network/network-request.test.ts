import { describe, expect, it } from "vitest";
import type { NetworkFlags } from "../../../../src/runtime/network/network-flags.ts";
import { bridgeOptions, chosenRanges } from "../../../../src/runtime/network/network-options.ts";
import { parseNetworkFlags } from "../../../../src/runtime/network/network-request.ts";
import { formatSubnet } from "../../../../src/runtime/network/subnet.ts";

const NONE: NetworkFlags = {
  ...{ network: [], net: [], networkAlias: [], addHost: [], dns: [], dnsSearch: [] },
  ...{ dnsOption: [], publish: [], publishAll: false, expose: [] },
};

const request = (flags: Partial<NetworkFlags>) => parseNetworkFlags({ ...NONE, ...flags });
const choice = (...network: string[]) => request({ network }).choice;
const attachment = (network: string) => ({ network, aliases: [] });

describe("--network", () => {
  it.each([
    ["none", { kind: "none" }],
    ["host", { kind: "host" }],
    ["container:web", { kind: "container", container: "web" }],
    ["ns:/run/netns/blue", { kind: "path", path: "/run/netns/blue" }],
    ["bridge", { kind: "networks", attachments: [attachment("bridge")] }],
    ["default", { kind: "networks", attachments: [attachment("bridge")] }],
    ["blue", { kind: "networks", attachments: [attachment("blue")] }],
  ])("%s", (text, expected) => expect(choice(text)).toEqual(expected));

  it("is the default network when it isn't given", () => {
    expect(choice()).toEqual(choice("bridge"));
  });

  it("has options, in podman's form and in docker's", () => {
    const expected = {
      network: "blue",
      address: "10.1.2.3",
      address6: "fd00::1",
      mac: "02:42:ac:11:00:02",
      aliases: ["a", "b"],
    };
    const mac = "02-42-AC-11-00-02";
    const short = choice(`blue:ip=10.1.2.3,ip6=fd00:0::1,mac=${mac},alias=a,alias=b`);
    const long = choice(`name=blue,ip=10.1.2.3,ip6=fd00::1,mac-address=${mac},alias=a,alias=b`);
    expect(short).toEqual({ kind: "networks", attachments: [expected] });
    expect(long).toEqual(short);
  });

  it("several give several interfaces; the other flags are about the first", () => {
    const flags = { network: ["blue", "green"], ip: "10.1.2.3", networkAlias: ["x"] };
    expect(request(flags).choice).toEqual({
      kind: "networks",
      attachments: [
        { network: "blue", address: "10.1.2.3", aliases: ["x"] },
        { network: "green", aliases: [] },
      ],
    });
  });

  it.each([
    [["none", "blue"], /conflicting options/],
    [["blue", "host"], /conflicting options/],
    [["blue", "blue"], /more than once/],
    [["container:"], /invalid network/],
    [["ns:relative"], /invalid network/],
    [["blue:color=red"], /invalid network/],
    [["blue:ip=1.2.3"], /invalid IPv4 address/],
    [["blue:alias=a b"], /invalid alias/],
    [["blue\n"], /invalid network/],
    [[""], /invalid network/],
    [["../x"], /invalid network/],
  ])("%j is refused", (network, message) => expect(() => choice(...network)).toThrow(message));
});

describe("flags that don't go together", () => {
  const beside = (flags: Partial<NetworkFlags>) =>
    request({ network: ["container:web"], ...flags });

  it.each<[Partial<NetworkFlags>, RegExp]>([
    [{ hostname: "x" }, /hostname and the network mode/],
    [{ publish: ["80"] }, /port publishing and the network mode/],
    [{ expose: ["80"] }, /port exposing/],
    [{ addHost: ["a:1.2.3.4"] }, /custom host-to-IP/],
    [{ dns: ["1.1.1.1"] }, /dns and the network mode/],
    [{ ip: "10.0.0.1" }, /address or alias/],
  ])("%j beside container:", (flags, message) => expect(() => beside(flags)).toThrow(message));

  it("an address needs a network of one's own", () => {
    expect(() => request({ network: ["host"], ip: "10.0.0.1" })).toThrow(/conflicting/);
    expect(() => request({ network: ["none"], networkAlias: ["x"] })).toThrow(/conflicting/);
  });
});

describe("names and name servers", () => {
  it.each<[Partial<NetworkFlags>, RegExp]>([
    [{ hostname: "two words" }, /invalid hostname/],
    [{ hostname: "x".repeat(65) }, /invalid hostname/],
    [{ domainname: "a\nb" }, /invalid domainname/],
    [{ networkAlias: ["10.0.0.1\tevil"] }, /invalid alias/],
    [{ addHost: ["nocolon"] }, /invalid --add-host/],
    [{ addHost: ["a:not-an-ip"] }, /invalid --add-host/],
    [{ addHost: [":1.2.3.4"] }, /invalid --add-host/],
    [{ dns: ["dns.example.org"] }, /invalid IP address/],
    [{ dnsSearch: ["a b"] }, /invalid domain/],
    [{ dnsOption: ["ndots:2\nnameserver 6.6.6.6"] }, /invalid --dns-option/],
    [{ macAddress: "01:00:00:00:00:00" }, /names a group/],
    [{ macAddress: "02:00" }, /invalid MAC/],
  ])("%j is refused", (flags, message) => expect(() => request(flags)).toThrow(message));

  it("--add-host takes IPv6 and the host itself", () => {
    const { extraHosts } = request({
      addHost: ["a:::1", "b:[::1]", "c=1.2.3.4", "d:host-gateway"],
    });
    expect(extraHosts.map(({ address }) => address)).toEqual([
      ...["::1", "::1", "1.2.3.4", "host-gateway"],
    ]);
  });

  it("the whole survives being written down", () => {
    const flags = { publish: ["8000-8001:80-81", "53:53/udp"], expose: ["9"], dns: ["1.1.1.1"] };
    const all = request({ ...flags, network: ["blue:alias=x"], hostname: "h", addHost: ["a:::1"] });
    expect(JSON.parse(JSON.stringify(all))).toEqual(all);
  });
});

describe("network create", () => {
  const ranges = (
    subnets: readonly string[],
    gateways: readonly string[] = [],
    parts: readonly string[] = [],
  ) =>
    chosenRanges({
      ...{ name: "n", subnets, gateways, ranges: parts, ipv6: false, internal: false },
      ...{ labels: {}, options: {} },
    });

  it.each<[readonly string[], readonly string[], RegExp]>([
    [["10.0.0.0/31"], [], /can't be a network/],
    [["0.0.0.0/0"], [], /can't be a network/],
    [["10.0.0.0/24", "10.0.1.0/24"], [], /one IPv4 subnet, not two/],
    [["10.0.0.0/24"], ["10.1.0.1"], /in no --subnet/],
    [[], ["10.1.0.1"], /in no --subnet/],
    [["10.0.0.0/24"], ["10.0.0.255"], /can't be a gateway/],
    [["10.0.0.0/24"], ["10.0.0.0"], /can't be a gateway/],
    [["10.0.0.0/24"], ["10.0.0.1", "10.0.0.2"], /one gateway, not two/],
  ])("subnets %j with gateways %j are refused", (subnets, gateways, message) => {
    expect(() => ranges(subnets, gateways)).toThrow(message);
  });

  it.each<[readonly string[], readonly string[], RegExp]>([
    [[], ["10.0.0.128/25"], /in no --subnet/],
    [["10.0.0.0/24"], ["10.1.0.128/25"], /in no --subnet/],
    [["10.0.0.0/24"], ["fd12::/80"], /in no --subnet/],
    [["10.0.0.0/24"], ["10.0.0.0/26", "10.0.0.64/26"], /one --ip-range, not two/],
    [["10.0.0.0/24"], ["nope"], /invalid subnet "nope" in --ip-range/],
  ])("subnets %j with ranges %j are refused", (subnets, parts, message) => {
    expect(() => ranges(subnets, [], parts)).toThrow(message);
  });

  it("a range is a part of its subnet; one that is wider changes nothing", () => {
    const both = ranges(["10.0.0.0/24", "fd12::/64"], [], ["fd12::/80", "10.0.0.128/25"]);
    expect(both.v4?.part && formatSubnet(both.v4.part)).toBe("10.0.0.128/25");
    expect(both.v6?.part && formatSubnet(both.v6.part)).toBe("fd12::/80");
    expect(ranges(["10.0.0.0/24"], [], ["10.0.0.0/16"]).v4?.part).toBeUndefined();
  });

  it("names of bridges are names of interfaces", () => {
    const name = (value: string) => bridgeOptions({ "com.docker.network.bridge.name": value });
    expect(name("br-mine").bridge).toBe("br-mine");
    for (const bad of ["a".repeat(16), "a/b", "", "a b", "..", 'x"', "all"])
      expect(() => name(bad)).toThrow(/invalid bridge name/);
    expect(() => bridgeOptions({ mtu: "67" })).toThrow(/invalid MTU/);
    expect(() => bridgeOptions({ colour: "red" })).toThrow(/unknown option/);
  });
});
