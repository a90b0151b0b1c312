import { readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { networkNames } from "../../src/runtime/network/network-names.ts";
import { missing } from "../peers/requirements.ts";
import { NetworkStage, tracesOf } from "./network-stage.ts";
import { reason as stageReason } from "./run-stage.ts";

const reason = stageReason ?? missing(["ip", "nft", "nsenter"]);

describe.skipIf(reason)(`containers on networks ${reason ?? ""}`, () => {
  let world: NetworkStage;
  beforeAll(async () => {
    world = await NetworkStage.open();
  });
  afterEach(() => world.stage.shell("$TSIMG rm -f $($TSIMG ps -aq)"));
  afterAll(() => world?.[Symbol.asyncDispose]());

  test("two of them reach each other by name, ID and hostname, and the host", async () => {
    await world.start("web", "--hostname", "www.example.org");
    const id = await world.start("asker", "--dns", "127.0.0.1");
    for (const name of ["web", "www", "www.example.org"])
      expect(await world.reaches("asker", name)).toBe(true);
    expect(await world.reaches("web", id.slice(0, 12))).toBe(true);
    const { Gateway } = (await world.inspect("asker")).NetworkSettings;
    expect(await world.reaches("asker", Gateway)).toBe(true);
    expect(await world.reaches("asker", "nobody")).toBe(false);
  });

  test("names follow who comes, is renamed, and goes", async () => {
    await world.start("old", "--network-alias", "ignored-by-nobody");
    await world.start("second");
    const names = async () => membersIn(await world.within("old", "cat /etc/hosts"));
    expect(await names()).toContain("second");
    await world.stage.output("rename", "second", "third");
    expect(await names()).toContain("third");
    expect(await names()).not.toContain("second");
    expect(await world.reaches("old", "third")).toBe(true);
    await world.stage.output("stop", "-t", "0", "third");
    expect(await names()).not.toContain("third");
    await world.stage.output("start", "third");
    expect(await world.reaches("old", "third")).toBe(true);
    await world.stage.output("rm", "-f", "third");
    expect(await names()).not.toContain("third");
  });

  test("ports are published to the host, to 127.0.0.1 and to its neighbours", async () => {
    const ports = ["-p", "18080:80", "-p", "18080:80/udp", "-p", "127.0.0.1:18081:80"];
    await world.start("web", ...ports);
    await world.serve({ container: "web" }, "web", 80);
    expect(await world.ask("host", "tcp", "127.0.0.1", 18080)).toMatch(/^web /);
    expect(await world.ask("host", "udp", "127.0.0.1", 18080)).toMatch(/^web /);
    expect(await world.ask("host", "tcp", "127.0.0.1", 18081)).toMatch(/^web /);
    expect(await world.ask("neighbour", "tcp", world.host, 18080)).toBe(`web ${world.neighbour}`);
    expect(await world.ask("neighbour", "udp", world.host, 18080)).toBe(`web ${world.neighbour}`);
    expect(await world.ask("neighbour", "tcp", world.host, 18081)).toBe("ECONNREFUSED");
    const shown = "80/tcp -> 0.0.0.0:18080\n80/udp -> 0.0.0.0:18080\n80/tcp -> 127.0.0.1:18081\n";
    const lines = (text: string) => text.split("\n").toSorted();
    expect(lines(await world.stage.output("port", "web"))).toEqual(lines(shown));
    expect(await world.stage.output("port", "web", "80/udp")).toBe("0.0.0.0:18080\n");
    const { Ports } = (await world.inspect("web")).NetworkSettings;
    expect(Ports["80/udp"]).toEqual([{ HostIp: "0.0.0.0", HostPort: "18080" }]);
    expect(await world.stage.output("ps", "--format", "{{.Ports}}")).toContain(
      "0.0.0.0:18080->80/tcp",
    );
    const taken = await world.stage.tsimg(["run", "--rm", "-p", "18080:1", world.stage.tiny]);
    expect(taken).toMatchObject({ status: 125 });
    expect(taken.stderr).toContain("port is already allocated");
    await world.stage.output("rm", "-f", "web");
    expect(await world.elements()).toEqual([]);
    expect(await world.ask("host", "tcp", "127.0.0.1", 18080)).toBe("ECONNREFUSED");
  });

  test("nobody on the host gets a port that was chosen for a container", async () => {
    await world.start("chosen", "-p", "80", "-p", "18100-18110:81");
    const lines = (await world.stage.output("port", "chosen")).trimEnd().split("\n");
    const ports = lines.map((line) => Number(line.split(":").at(-1)));
    expect(ports).toHaveLength(2);
    for (const port of ports) expect(await listens(port)).toBe("EADDRINUSE");
    await world.stage.output("rm", "-f", "chosen");
    for (const port of ports) expect(await listens(port)).toBe("listens");
  });

  test.skipIf(missing(["conntrack"]))(
    "UDP goes to who has the port now, also of a client that goes on",
    async () => {
      const ask = () => world.ask("neighbour", "udp", world.host, 18095, 40_000);
      for (const name of ["one", "two"]) {
        await world.start(name, "-p", "18095:80/udp");
        await world.serve({ container: name }, name, 80);
        expect(await ask()).toBe(`${name} ${world.neighbour}`);
        await world.stage.output("kill", name);
        await world.stage.output("wait", name);
      }
    },
  );

  test("a container is connected again each time it starts", async () => {
    await world.start("web", "-p", "18090:80");
    await world.start("asker");
    await world.stage.output("restart", "-t", "0", "web");
    await world.serve({ container: "web" }, "again", 80);
    expect(await world.ask("host", "tcp", "127.0.0.1", 18090)).toMatch(/^again /);
    const web = await world.addressOf("web");
    expect(await world.ask({ container: "asker" }, "tcp", web, 80)).toMatch(/^again /);
    expect(await world.reaches("asker", "web")).toBe(true);
    await world.stage.output("stop", "-t", "0", "web");
    expect((await world.inspect("web")).NetworkSettings).toMatchObject({
      IPAddress: "",
      Ports: {},
    });
  });

  test("a container shares another one's network, names and files", async () => {
    await world.start("owner", "--hostname", "owner", "--add-host", "extra:192.0.2.7");
    await world.start("other");
    await world.start("guest", "--network", "container:owner");
    await world.serve({ container: "owner" }, "owner", 81);
    const address = await world.addressOf("owner");
    expect(await world.ask({ container: "guest" }, "tcp", "127.0.0.1", 81)).toBe("owner 127.0.0.1");
    expect(await world.within("guest", "ip -o -4 address show dev eth0")).toContain(address);
    expect(await world.within("guest", "hostname")).toBe("owner\n");
    expect(await world.within("guest", "cat /etc/hosts")).toContain("192.0.2.7\textra");
    expect(await world.reaches("guest", "other")).toBe(true);
    await world.stage.output("stop", "-t", "0", "owner");
    const late = await world.stage.tsimg(["run", "--network", "container:owner", world.stage.tiny]);
    expect(late).toMatchObject({ status: 125 });
    expect(late.stderr).toContain("is not running");
  });

  test("a network of the user's own has aliases, and is shut to others", async () => {
    await world.stage.output("network", "create", "--subnet", "10.123.45.0/24", "blue");
    await world.start("in", "--network", "blue", "--network-alias", "db", "--ip", "10.123.45.77");
    await world.start("also", "--network", "blue");
    await world.start("out", "--dns", "127.0.0.1");
    expect(await world.addressOf("in")).toBe("10.123.45.77");
    expect(await world.reaches("also", "db")).toBe(true);
    expect(await world.reaches("out", "db")).toBe(false);
    expect(await world.reaches("out", "10.123.45.77")).toBe(false);
    await world.stage.output("network", "connect", "--alias", "late", "blue", "out");
    expect(await world.reaches("out", "db")).toBe(true);
    expect(await world.reaches("in", "late")).toBe(true);
    const { Networks } = (await world.inspect("out")).NetworkSettings;
    expect(Object.keys(Networks).toSorted()).toEqual(["blue", "bridge"]);
    expect(Networks["blue"]?.Aliases).toEqual(["late"]);
    const busy = await world.stage.tsimg(["network", "rm", "blue"]);
    expect(busy.stderr).toContain("has active endpoints");
    await world.stage.output("network", "disconnect", "blue", "out");
    expect(await world.reaches("out", "10.123.45.77")).toBe(false);
    await world.stage.output("rm", "-f", "in", "also", "out");
    await world.stage.output("network", "rm", "blue");
  });

  test("name servers and hosts are those of the flags", async () => {
    const dns = ["--dns", "192.0.2.53", "--dns-search", "example.org", "--dns-option", "ndots:3"];
    await world.start(
      "one",
      ...dns,
      "--add-host",
      "gate:host-gateway",
      "--add-host",
      "x:192.0.2.1",
    );
    const resolver = await world.within("one", "cat /etc/resolv.conf");
    expect(resolver).toMatch(/^nameserver 192\.0\.2\.53$/m);
    expect(resolver).toMatch(/^search example\.org$/m);
    expect(resolver).toMatch(/^options ndots:3$/m);
    expect(await world.within("one", "cat /etc/hosts")).toContain("192.0.2.1\tx");
    expect(await world.reaches("one", "gate")).toBe(true);
  });

  test("inspect shows what the container itself sees", async () => {
    const id = await world.start("one", "--mac-address", "02:00:00:00:12:34");
    const { NetworkSettings: settings, State } = await world.inspect("one");
    expect(settings.SandboxKey).toBe(`/proc/${State.Pid}/ns/net`);
    expect(settings.MacAddress).toBe("02:00:00:00:12:34");
    const seen = await world.within("one", "ip address show dev eth0; ip route");
    expect(seen).toContain(`${settings.IPAddress}/`);
    expect(seen).toContain("02:00:00:00:12:34");
    expect(seen).toContain(`default via ${settings.Gateway} dev eth0`);
    const network = JSON.parse(await world.stage.output("network", "inspect", "bridge"))[0];
    expect(network.Containers[id]).toMatchObject({ Name: "one" });
  });

  test("what a deleted store has left is taken down by the next one", async () => {
    const { stage } = world;
    const lost = join(stage.root, "lost");
    const inLost = { env: { TSIMG_ROOT: lost } };
    await stage.tsimg(["pull", "-q", stage.tiny], inLost);
    const run = ["run", "--rm", stage.tiny, "true"];
    expect(await stage.tsimg(run, inLost)).toMatchObject({ status: 0, stderr: "" });
    const { bridge, table } = networkNames(lost);
    expect(await tracesOf([bridge, table])).toHaveLength(2);
    rmSync(lost, { recursive: true });
    await stage.output("network", "rm", "bridge");
    await stage.output(...run);
    expect(await tracesOf([bridge, table])).toEqual([]);
  });

  test("a killed launcher leaves nothing once the next command has looked", async () => {
    await world.start("stays");
    const id = await world.start("dies", "-p", "18070:80", "-p", "18070:80/udp");
    expect(await world.elements()).toHaveLength(2);
    const records = join(world.stage.env["TSIMG_ROOT"] ?? "", "run", id, "started.json");
    process.kill(JSON.parse(readFileSync(records, "utf8")).launcher, "SIGKILL");
    const status = async () => world.stage.output("ps", "-a", "--format", "{{.Names}} {{.Status}}");
    await world.stage.until(async () => (await status()).includes("dies Exited (137)"));
    expect(await world.elements()).toEqual([]);
    expect(membersIn(await world.within("stays", "cat /etc/hosts"))).not.toContain("dies");
    const again = await world.start("heir", "-p", "18070:80");
    expect(again).toMatch(/^[0-9a-f]{64}$/);
  });
});

/** The names in tsimg's part of a hosts file. */
function membersIn(hosts: string): readonly string[] {
  const [, part = ""] = /^# tsimg: members[^\n]*\n(.*)^# tsimg: end$/ms.exec(hosts) ?? [];
  return part.split(/\s+/);
}

/** What becomes of a program of the host that wants this port. */
function listens(port: number): Promise<string> {
  const server = createServer();
  return new Promise((resolve) => {
    server.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
    server.listen(port, "0.0.0.0", () => server.close(() => resolve("listens")));
  });
}
