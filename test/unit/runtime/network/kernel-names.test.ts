import { expect, it } from "vitest";
import { insideMemory, shapeOf } from "../../../../src/runtime/network/inside-network.ts";
import { vethBatch } from "../../../../src/runtime/network/ip-batch.ts";
import { macFor } from "../../../../src/runtime/network/mac-address.ts";
import {
  bridgeName,
  networkNames,
  vethName,
} from "../../../../src/runtime/network/network-names.ts";
import type { MemberRow, NetworkRow } from "../../../../src/runtime/network/network-row.ts";
import { tableText } from "../../../../src/runtime/network/nft-table.ts";
import { configureNetwork } from "../../../../src/runtime/tape/network.ts";
import { Steps } from "../../../../src/runtime/tape/steps.ts";

const ID = "0123456789abcdef".repeat(4);

const NETWORK: NetworkRow = {
  ...{ name: "blue", id: ID, driver: "bridge", bridge: "ts-blue", mtu: 1400, up: null },
  ...{ subnet: "10.20.0.0/24", gateway: "10.20.0.1", subnet6: "fd20::/64", gateway6: "fd20::1" },
  ...{ ip_range: null, ip_range6: null },
  ...{ internal: 0, last_address: null, options: "{}", labels: "{}", created: "" },
};

const MEMBER: MemberRow = {
  ...{ network: "blue", container: ID, address: "10.20.0.2", address6: "fd20::2" },
  ...{ mac: "02:74:0a:14:00:02", interface: "eth0", hostname: "h", aliases: "[]" },
};

it("names of interfaces fit into 15 bytes, and differ between stores and interfaces", () => {
  const stores = [networkNames("/var/lib/tsimg"), networkNames("/a"), networkNames("/b")];
  const names = [
    ...stores.map(({ bridge }) => bridge),
    bridgeName(ID),
    ...["eth0", "eth9", "eth10", "eth99"].map((inside) => vethName(ID, inside)),
  ];
  expect(names[0]).toBe("tsimg0");
  expect(names.filter((name) => name.length > 15)).toEqual([]);
  expect(new Set(names).size).toBe(names.length);
  expect(new Set(stores.map(({ table }) => table)).size).toBe(3);
});

it("a container's interface is one line of ip", () => {
  expect(vethBatch(MEMBER, NETWORK, "/proc/self/fd/100", false)).toBe(
    "link add dev ts0123456789ae0 mtu 1400 master ts-blue up type veth " +
      "peer name eth0 mtu 1400 address 02:74:0a:14:00:02 netns /proc/self/fd/100\n",
  );
  expect(vethBatch(MEMBER, NETWORK, "/n", true)).toMatch(/\n.*hairpin on\n$/);
});

it("a hardware address is one machine's own", () => {
  const mac = macFor({ family: 4, value: 0x0a140002n });
  expect(mac).toBe("02:74:0a:14:00:02");
  // Locally administered, and not a group.
  expect(Number.parseInt(mac.slice(0, 2), 16) & 0b11).toBe(0b10);
});

it("the firewall keeps internal networks out of what is masqueraded", () => {
  const vault = { ...NETWORK, bridge: "ts-vault", subnet: "10.30.0.0/24", subnet6: null };
  const text = tableText("tsimg", [NETWORK, { ...vault, internal: 1 }], []);
  const set = (name: string) =>
    new RegExp(`set ${name} \\{[^}]*?elements = \\{ ([^}]*) \\}`).exec(text)?.[1];
  expect(set("bridges")).toBe('"ts-blue", "ts-vault"');
  expect(set("internal")).toBe('"ts-vault"');
  expect(set("inside4")).toBe("10.20.0.0/24");
  expect(set("near4")).toBe('10.20.0.0/24 . "ts-blue", 10.30.0.0/24 . "ts-vault"');
});

it("a tape has no container's addresses in it, so that it fits the next one", () => {
  const plan = (last: string) => ({
    ...{ name: "eth0", address: `10.20.0.${last}`, prefix: 24, gateway: "10.20.0.1" },
    ...{ address6: `fd20::${last}`, prefix6: 64, gateway6: "fd20::1" },
  });
  const tapeOf = (last: string) => {
    const steps = new Steps();
    configureNetwork(steps, { file: "/state/network.bin", interfaces: [shapeOf(plan(last))] });
    return JSON.stringify(steps.list);
  };
  expect(tapeOf("2")).toBe(tapeOf("3"));
  expect(insideMemory([plan("2")])).not.toEqual(insideMemory([plan("3")]));
});
