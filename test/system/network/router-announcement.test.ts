import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NetworkStore } from "../../../src/runtime/network/network-store.ts";
import { type FakeContainer, NetworkWorld, run, whyNot } from "./network-world.ts";

const PLAIN = { gateways: [], ranges: [], internal: false, labels: {}, options: {} };

/** An ICMPv6 router advertisement to all nodes, as root with CAP_NET_RAW can send it. */
const ANNOUNCE = `
import socket, struct
source = socket.inet_pton(socket.AF_INET6, "fe80::bad")
everybody = socket.inet_pton(socket.AF_INET6, "ff02::1")
def body(checksum):
    return struct.pack("!BBHBBHII", 134, 0, checksum, 64, 0, 1800, 0, 0)
summed = source + everybody + struct.pack("!II", len(body(0)), 58) + body(0)
total = sum(struct.unpack("!%dH" % (len(summed) // 2), summed))
while total >> 16:
    total = (total & 0xffff) + (total >> 16)
packet = body(~total & 0xffff)
head = struct.pack("!IHBB", 6 << 28, len(packet), 58, 255) + source + everybody
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind(("eth0", 0))
own = wire.getsockname()[4]
wire.send(bytes.fromhex("333300000001") + own + b"\\x86\\xdd" + head + packet)
`;

describe.skipIf(whyNot !== undefined)("a container that says it is a router", () => {
  let world: NetworkWorld;
  let store: NetworkStore;
  beforeAll(() => {
    world = new NetworkWorld();
    store = new NetworkStore(world.context);
    store.create({ ...PLAIN, name: "four", subnets: ["10.99.1.0/24"], ipv6: false });
    store.create({ ...PLAIN, name: "six", subnets: ["10.99.2.0/24", "fd99:2::/64"], ipv6: true });
  });
  afterAll(() => world?.[Symbol.dispose]());

  const announce = (from: FakeContainer) =>
    run(["ip", ...world.within(from, ["python3", "-c", ANNOUNCE])]);
  const routes = () => world.ip("h", "-6", "route", "show", "default");

  // In this order: the second switches forwarding on, for which the first's is changed too.
  it.each([
    ["first", "four"],
    ["second", "six"],
    ["third", "four"],
  ])("gets nothing of the host's: the %s, in network %s", async (name, network) => {
    const container = world.start(name, { network: [network] });
    const { bridge } = store.existing(network);
    const accepts = `/proc/sys/net/ipv6/conf/${bridge}/accept_ra`;
    expect(readFileSync(accepts, "latin1").trim()).toBe("0");
    announce(container);
    // What is sent after it and has arrived shows that it has, too.
    spawnSync(
      "ip",
      world.within(container, ["ping", "-c1", "-W2", store.existing(network).gateway]),
    );
    expect(routes()).not.toContain(bridge);
    writeFileSync(accepts, "2");
    while (!routes().includes(bridge)) {
      announce(container);
      await sleep(50);
    }
    world.ip("h", "-6", "route", "flush", "default", "dev", bridge);
    writeFileSync(accepts, "0");
    world.end(container);
  });
});
