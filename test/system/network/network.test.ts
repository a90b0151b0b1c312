import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { removeNetwork } from "../../../src/runtime/network/ensure-networks.ts";
import { interfaceExists } from "../../../src/runtime/network/host-interfaces.ts";
import { NetworkStore } from "../../../src/runtime/network/network-store.ts";
import { reclaimNetwork } from "../../../src/runtime/network/reclaim-network.ts";
import {
  type FakeContainer,
  HOST,
  HOST6,
  NetworkWorld,
  OUTSIDE,
  OUTSIDE6,
  run,
  whyNot,
} from "./network-world.ts";

const BLUE = { subnets: ["10.99.1.0/24", "fd99:1::/64"], gateways: [], ranges: [], ipv6: true };
const PLAIN = { internal: false, labels: {}, options: {} };

const BOTH = [
  { filter: "1", what: "see" },
  { filter: "0", what: "don't see" },
] as const;

// In the kernel lab, where all takes twenty times as long, one of them is enough.
const FILTERS = process.env["TSIMG_LAB"] === "1" ? BOTH.slice(0, 1) : BOTH;

describe.skipIf(whyNot !== undefined).each(FILTERS)(
  "containers on bridges whose packets firewalls $what",
  ({ filter }) => {
    let world: NetworkWorld;
    let store: NetworkStore;
    let web: FakeContainer;
    let other: FakeContainer;
    let blue: FakeContainer;

    beforeAll(async () => {
      world = new NetworkWorld(filter);
      store = new NetworkStore(world.context);
      store.create({ name: "blue", ...BLUE, ...PLAIN });
      web = world.start("web", {
        publish: ["8080:80", "127.0.0.1:8081:80", "8080:80/udp"],
        hostname: "web",
      });
      other = world.start("other", { networkAlias: ["friend"] });
      blue = world.start("blue1", { network: ["blue"], publish: ["9090:80", "9090:80/udp"] });
      await world.serve(web, "web", 80);
      await world.serve(blue, "blue", 80);
      await world.serve("outside", "outside", 80);
      await world.serve("host", "host", 7000);
    });

    afterAll(() => world?.[Symbol.dispose]());

    const addressOf = (container: FakeContainer, network: string) => {
      const member = store.members(network).find((it) => it.container === container.id);
      return { four: member?.address ?? "", six: member?.address6 ?? "" };
    };

    it("two on one network reach each other", () => {
      const { four } = addressOf(web, "bridge");
      expect(world.ask(other, "tcp", four, 80)).toBe(`web ${addressOf(other, "bridge").four}`);
      expect(world.ask(other, "udp", four, 80)).toBe(`web ${addressOf(other, "bridge").four}`);
    });

    it("the host reaches them, and they the host and the world, which sees the host", () => {
      const { four, six } = addressOf(blue, "blue");
      const host = store.existing("blue");
      expect(world.ask("host", "tcp", four, 80)).toBe(`blue ${host.gateway}`);
      expect(world.ask("host", "tcp", six, 80)).toBe(`blue ${host.gateway6}`);
      expect(world.ask(blue, "tcp", HOST, 7000)).toBe(`host ${four}`);
      expect(world.ask(blue, "tcp", OUTSIDE, 80)).toBe(`outside ${HOST}`);
      expect(world.ask(blue, "udp", OUTSIDE, 80)).toBe(`outside ${HOST}`);
      expect(world.ask(blue, "tcp", OUTSIDE6, 80)).toBe(`outside ${HOST6}`);
    });

    it("published ports answer outside, to whom the asker's address is shown", () => {
      expect(world.ask("outside", "tcp", HOST, 8080)).toBe(`web ${OUTSIDE}`);
      expect(world.ask("outside", "udp", HOST, 8080)).toBe(`web ${OUTSIDE}`);
      expect(world.ask("outside", "tcp", HOST6, 9090)).toBe(`blue ${OUTSIDE6}`);
      expect(world.ask("outside", "udp", HOST6, 9090)).toBe(`blue ${OUTSIDE6}`);
    });

    it("published ports answer on the host, by its address and by 127.0.0.1", () => {
      const { gateway } = store.existing("bridge");
      expect(world.ask("host", "tcp", HOST, 8080)).toMatch(/^web /);
      expect(world.ask("host", "tcp", "127.0.0.1", 8080)).toBe(`web ${gateway}`);
      expect(world.ask("host", "udp", "127.0.0.1", 8080)).toBe(`web ${gateway}`);
      expect(world.ask("host", "tcp", "127.0.0.1", 8081)).toBe(`web ${gateway}`);
      expect(world.ask("host", "tcp", HOST6, 9090)).toMatch(/^blue /);
      // ::1 can't be routed: refused at once, so that a client goes on to 127.0.0.1.
      expect(world.ask("host", "tcp", "::1", 9090)).toBe("ECONNREFUSED");
    });

    it("a port on 127.0.0.1 is the host's alone", () => {
      expect(world.ask("outside", "tcp", HOST, 8081)).toBe("ECONNREFUSED");
      expect(world.ask(other, "tcp", HOST, 8081)).toBe("ECONNREFUSED");
    });

    it("published ports answer other containers, those of another network, and their own", () => {
      expect(world.ask(other, "tcp", HOST, 8080)).toMatch(/^web /);
      expect(world.ask(blue, "tcp", HOST, 8080)).toMatch(/^web /);
      expect(world.ask(web, "tcp", HOST, 8080)).toMatch(/^web /);
      expect(world.ask(blue, "tcp", HOST6, 9090)).toMatch(/^blue /);
    });

    it("networks don't reach each other, and nobody outside a container that isn't published", () => {
      const { four } = addressOf(blue, "blue");
      expect(world.isSilent(other, four, 80)).toBe(true);
      world.ip("o", "route", "add", "10.99.1.0/24", "via", HOST);
      world.ip("o", "-6", "route", "add", "fd99:1::/64", "via", HOST6);
      expect(world.isSilent("outside", four, 80)).toBe(true);
      expect(world.isSilent("outside", addressOf(blue, "blue").six, 80)).toBe(true);
    });

    it("a container can't reach what listens on the host's loopback", () => {
      const { gateway } = store.existing("bridge");
      run([
        "ip",
        ...world.within(other, [
          "sh",
          "-c",
          `ip route add 127.1.2.3 via ${gateway} dev eth0;
      echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet; ip route del local 127.0.0.0/8 table local`,
        ]),
      ]);
      expect(world.isSilent(other, "127.1.2.3", 7000)).toBe(true);
    });

    it("an internal network leads nowhere", async () => {
      store.create({
        name: "vault",
        subnets: [],
        gateways: [],
        ranges: [],
        ipv6: false,
        ...PLAIN,
        internal: true,
      });
      const one = world.start("one", { network: ["vault"] });
      const two = world.start("two", { network: ["vault"] });
      await world.serve(one, "one", 80);
      expect(world.ask(two, "tcp", addressOf(one, "vault").four, 80)).toMatch(/^one /);
      expect(world.ask(two, "tcp", OUTSIDE, 80)).toBe("ENETUNREACH");
      world.ip(two.space, "route", "add", "default", "via", store.existing("vault").gateway);
      expect(world.isSilent(two, OUTSIDE, 80)).toBe(true);
      world.end(one);
      world.end(two);
      removeNetwork(world.context, store, store.existing("vault"));
    });

    it("each has the others' names in its file, and loses them when they go", () => {
      const hosts = (container: FakeContainer) =>
        readFileSync(join(world.context.stateDirectory(container.id), "hosts"), "utf8");
      const { four } = addressOf(other, "bridge");
      expect(hosts(web)).toContain(`${four}\tother friend ${other.id.slice(0, 12)}\n`);
      expect(hosts(other)).toContain(
        `${addressOf(web, "bridge").four}\tweb ${web.id.slice(0, 12)}\n`,
      );
      expect(hosts(blue)).not.toContain("other");
      const guest = world.start("guest");
      expect(hosts(web)).toContain("guest");
      world.end(guest);
      expect(hosts(web)).not.toContain("guest");
      expect(hosts(web)).toContain("friend");
    });

    it("the port of one that was killed is free for the next", async () => {
      const first = world.start("first", { publish: ["6000:80"] });
      world.end(first, "is killed");
      const next = world.start("next", { publish: ["6000:80"] });
      await world.serve(next, "next", 80);
      expect(world.ask("outside", "tcp", HOST, 6000)).toMatch(/^next /);
      expect(() => world.start("late", { publish: ["6000:80"] })).toThrow(
        /port is already allocated/,
      );
      expect(() => world.start("late2", { publish: ["7000:80"] })).toThrow(
        /failed to bind host port 0.0.0.0:7000\/tcp: .*in use/,
      );
      // Nor does a program of the host get what a container has.
      const server = `require("net").createServer().on("error", ({ code }) => console.log(code))
        .listen(6000, function () { console.log("listens"); this.close(); })`;
      const words = world.within("host", [process.execPath, "-e", server]);
      expect(run(["ip", ...words])).toBe("EADDRINUSE\n");
      world.die(next);
      const heir = world.start("heir", { publish: ["6000:80"] });
      await world.serve(heir, "heir", 80);
      expect(world.ask("outside", "tcp", HOST, 6000)).toMatch(/^heir /);
      world.end(heir);
      world.end(next);
      expect(world.ask("outside", "tcp", HOST, 6000)).toBe("ECONNREFUSED");
    });

    it("all is gone when the last container and its network are", () => {
      for (const container of [web, other, blue]) world.end(container);
      for (const { id } of world.database.all<{ id: string }>("select id from containers"))
        reclaimNetwork(world.context, id);
      expect(world.database.all("select * from network_members")).toEqual([]);
      expect(world.database.all("select * from published_ports")).toEqual([]);
      expect(run(["nft", "list", "ruleset"])).not.toMatch(/dnat to|\. 80 : /);
      for (const network of store.list()) {
        removeNetwork(world.context, store, network);
        expect(interfaceExists(network.bridge)).toBe(false);
      }
      expect(run(["nft", "list", "tables"])).toBe("");
      expect(run(["ip", "-o", "link"])).not.toMatch(/\bts[0-9a-f-]/);
    });
  },
);
