import { spawn } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectNetwork } from "../../../src/runtime/network/connect-network.ts";
import { disconnectNetwork } from "../../../src/runtime/network/disconnect-network.ts";
import { reloadNetworks, removeNetwork } from "../../../src/runtime/network/ensure-networks.ts";
import { interfaceExists } from "../../../src/runtime/network/host-interfaces.ts";
import { vethName } from "../../../src/runtime/network/network-names.ts";
import type { MemberRow } from "../../../src/runtime/network/network-row.ts";
import { NetworkStore } from "../../../src/runtime/network/network-store.ts";
import { reclaimNetwork } from "../../../src/runtime/network/reclaim-network.ts";
import { type FakeContainer, HOST, NetworkWorld, OUTSIDE, run, whyNot } from "./network-world.ts";

const PLAIN = { gateways: [], ranges: [], ipv6: false, internal: false, labels: {}, options: {} };

describe.skipIf(whyNot !== undefined)("networks in motion", () => {
  let world: NetworkWorld;
  let store: NetworkStore;

  beforeAll(async () => {
    world = new NetworkWorld();
    store = new NetworkStore(world.context);
    store.create({ ...PLAIN, name: "blue", subnets: ["10.99.1.0/24", "fd99:1::/64"] });
    store.create({ ...PLAIN, name: "green", subnets: ["10.99.2.0/29"] });
    store.create({ ...PLAIN, name: "vault", subnets: [], internal: true });
    store.create({ ...PLAIN, name: "busy", subnets: [], ipv6: true });
    await world.serve("outside", "outside", 80);
  });

  afterAll(() => world?.[Symbol.dispose]());

  const memberOf = (container: FakeContainer, network: string): MemberRow => {
    const member = store.members(network).find((it) => it.container === container.id);
    if (member === undefined) throw new Error(`${container.name} is not in ${network}`);
    return member;
  };
  const hosts = (container: FakeContainer) =>
    readFileSync(join(world.context.stateDirectory(container.id), "hosts"), "utf8");

  it("50 at a time get different addresses and ports, also when they make the bridge", async () => {
    const script = join(import.meta.dirname, "prepare-many.ts");
    const workers = Array.from({ length: 5 }, (_, number) =>
      spawn(process.execPath, [script, world.context.root, `many${number}`, "10"], {
        stdio: ["pipe", "pipe", "inherit"],
      }),
    );
    const outputs = workers.map((worker) => text(worker.stdout));
    for (const worker of workers) worker.stdin.end("go");
    const lines = (await Promise.all(outputs)).flatMap((output) => output.trim().split("\n"));
    expect(lines).toHaveLength(50);
    for (const column of [0, 1, 2])
      expect(new Set(lines.map((line) => line.split(" ")[column])).size).toBe(50);
    expect(lines.join("\n")).not.toContain("undefined");
    const { bridge, gateway } = store.existing("busy");
    expect(world.ip("h", "-o", "address", "show", "dev", bridge)).toContain(gateway);
    for (const { container } of store.members("busy")) reclaimNetwork(world.context, container);
    expect(run(["nft", "list", "ruleset"])).not.toContain("20001");
  });

  it("several interfaces, addresses of one's choice, one default route", () => {
    const many = world.start("many", {
      network: ["vault", "blue:ip=10.99.1.77,ip6=fd99:1::77,mac=02:00:00:00:00:77", "green"],
    });
    const shown = world.ip(many.space, "-o", "address");
    expect(shown).toMatch(/eth1 +inet 10\.99\.1\.77\/24 brd 10\.99\.1\.255/);
    expect(shown).toMatch(/eth1 +inet6 fd99:1::77\/64 scope global/);
    expect(shown).not.toContain("tentative");
    expect(shown).toMatch(/eth2 +inet 10\.99\.2\.2\/29/);
    expect(world.ip(many.space, "link", "show", "eth1")).toContain("02:00:00:00:00:77");
    expect(world.ip(many.space, "route", "show", "default")).toBe(
      "default via 10.99.1.1 dev eth1 \n",
    );
    expect(world.ip(many.space, "-6", "route", "show", "default")).toMatch(
      /^default via fd99:1::1 dev eth1 /,
    );
    expect(() => world.start("twin", { network: ["blue:ip=10.99.1.77"] })).toThrow(
      "address 10.99.1.77 is already in use",
    );
    expect(() => world.start("odd", { network: ["blue:ip=10.99.9.9"] })).toThrow(/can't be had/);
    world.end(many);
  });

  it("a full subnet gives what the dead had, and nothing when all live", () => {
    const five = ["a", "b", "c", "d", "e"].map((name) => world.start(name, { network: ["green"] }));
    expect(() => world.start("f", { network: ["green"] })).toThrow(/no address is left/);
    const dead = five[2];
    if (dead === undefined) throw new Error("none");
    const { address } = memberOf(dead, "green");
    world.die(dead);
    const heir = world.start("g", { network: ["green"] });
    expect(memberOf(heir, "green").address).toBe(address);
    expect(hosts(heir)).not.toContain("\tc ");
    for (const container of [...five, heir]) world.end(container);
  });

  it("a running container comes into a network, and leaves it with its ports going on", async () => {
    const web = world.start("web", { network: ["blue"], publish: ["8080:80"] });
    const mate = world.start("mate", { network: ["green"] });
    const server = await world.serve(web, "web", 80);
    const running = { id: web.id, name: "web", pid: server.pid ?? 0, hostname: "web" };
    const inode = statSync(join(world.context.stateDirectory(web.id), "hosts")).ino;
    writeFileSync(join(world.context.stateDirectory(web.id), "hosts"), "9.9.9.9 own\n", {
      flag: "a",
    });
    connectNetwork(world.context, running, { network: "green", aliases: ["shop"] });
    const green = memberOf(web, "green");
    expect(green.interface).toBe("eth1");
    expect(world.ask(mate, "tcp", green.address, 80)).toMatch(/^web /);
    expect(hosts(mate)).toContain(`${green.address}\tweb shop `);
    expect(() => connectNetwork(world.context, running, { network: "green", aliases: [] })).toThrow(
      /already attached/,
    );
    disconnectNetwork(world.context, running, "blue");
    expect(world.ip(web.space, "-o", "link")).not.toContain("eth0");
    // Its way out and its published port are now by the other network.
    expect(world.ask(web, "tcp", OUTSIDE, 80)).toBe(`outside ${HOST}`);
    expect(world.ask("outside", "tcp", HOST, 8080)).toMatch(/^web /);
    disconnectNetwork(world.context, running, "green");
    expect(hosts(mate)).not.toContain("web");
    expect(hosts(web)).not.toContain("mate");
    expect(hosts(web)).toContain("9.9.9.9 own\n");
    expect(statSync(join(world.context.stateDirectory(web.id), "hosts")).ino).toBe(inode);
    expect(world.ask("outside", "tcp", HOST, 8080)).toBe("ECONNREFUSED");
    expect(() => disconnectNetwork(world.context, running, "green")).toThrow(/is not connected/);
    expect(() =>
      connectNetwork(
        world.context,
        { ...running, pid: process.pid },
        {
          network: "green",
          aliases: [],
        },
      ),
    ).toThrow(/on the host's network/);
    world.end(web);
    world.end(mate);
  });

  it("what a connect that fails had made is gone", async () => {
    const lone = world.start("lone", { network: ["green"] });
    const server = await world.serve(lone, "lone", 80);
    const running = { id: lone.id, name: "lone", pid: server.pid ?? 0, hostname: "lone" };
    const off = "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6";
    run(["ip", ...world.within(lone, ["sh", "-c", off])]);
    expect(() => connectNetwork(world.context, running, { network: "blue", aliases: [] })).toThrow(
      /ip -batch/,
    );
    expect(store.members("blue")).toEqual([]);
    expect(interfaceExists(vethName(lone.id, "eth1"))).toBe(false);
    expect(hosts(lone)).not.toContain("10.99.1.");
    const gone = { ...running, pid: 4_194_304 };
    expect(() => connectNetwork(world.context, gone, { network: "blue", aliases: [] })).toThrow(
      /is not running/,
    );
    world.end(lone);
  });

  it("an emptied firewall is written anew", async () => {
    const web = world.start("again", { network: ["blue"], publish: ["8090:80"] });
    await world.serve(web, "again", 80);
    run(["nft", "flush", "ruleset"]);
    expect(world.ask("outside", "tcp", HOST, 8090)).toBe("ECONNREFUSED");
    reloadNetworks(world.context, store);
    expect(world.ask("outside", "tcp", HOST, 8090)).toMatch(/^again /);
    run(["nft", "flush", "ruleset"]);
    world.end(web, "is killed");
    reloadNetworks(world.context, store);
    expect(run(["nft", "list", "ruleset"])).not.toContain("8090");
  });

  it("a bridge that was removed or half made is made whole", () => {
    const { bridge, gateway } = store.existing("blue");
    run(["ip", "link", "delete", bridge]);
    run(["ip", "link", "add", bridge, "type", "bridge"]);
    world.database.run("update networks set up = null where name = 'blue'");
    const after = world.start("after", { network: ["blue"] });
    expect(world.ip("h", "-o", "address", "show", "dev", bridge)).toContain(`${gateway}/24`);
    world.end(after);
    run(["ip", "link", "delete", bridge]);
    const later = world.start("later", { network: ["blue"] });
    expect(world.ip(later.space, "-o", "address")).toContain("10.99.1.");
    world.end(later);
  });

  it("an interface whose namespace somebody keeps is taken away all the same", () => {
    const kept = world.start("kept", { network: ["blue"] });
    const name = vethName(kept.id, "eth0");
    expect(interfaceExists(name)).toBe(true);
    world.die(kept);
    reclaimNetwork(world.context, kept.id);
    expect(interfaceExists(name)).toBe(false);
    reclaimNetwork(world.context, kept.id);
  });

  it("a network can't go while somebody is in it", () => {
    const inside = world.start("inside", { network: ["vault"] });
    const vault = store.existing("vault");
    expect(() => removeNetwork(world.context, store, vault)).toThrow(/has active endpoints/);
    expect(interfaceExists(vault.bridge)).toBe(true);
    world.end(inside);
    removeNetwork(world.context, store, vault);
    expect(interfaceExists(vault.bridge)).toBe(false);
    expect(run(["nft", "list", "ruleset"])).not.toContain(vault.bridge);
    expect(() => world.start("x", { network: ["vault"] })).toThrow(/not found/);
  });

  it("two stores on one machine keep out of each other's way", () => {
    const other = new NetworkStore({ ...world.context, root: "/elsewhere" });
    const mine = store.existing("bridge");
    expect(mine.bridge).toMatch(/^tsimg-[0-9a-f]{8}$/);
    world.database.run("delete from networks where name = 'bridge'");
    const theirs = other.existing("bridge");
    expect(theirs.bridge).not.toBe(mine.bridge);
  });
});
