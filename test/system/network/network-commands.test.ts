import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NetworkWorld, run, whyNot } from "./network-world.ts";

const TSIMG = join(import.meta.dirname, "../../../bin/tsimg");

describe.skipIf(whyNot !== undefined)("tsimg network", () => {
  let world: NetworkWorld;

  beforeAll(() => {
    world = new NetworkWorld();
  });

  afterAll(() => world?.[Symbol.dispose]());

  function tsimg(...words: readonly string[]) {
    const env = { ...process.env, TSIMG_ROOT: world.context.root, TSIMG_SUBNET: "10.50.0.0/16" };
    const { status, stdout, stderr } = spawnSync(TSIMG, words, { encoding: "utf8", env });
    return { status, stdout, stderr };
  }

  function output(...words: readonly string[]): string {
    const { status, stdout, stderr } = tsimg(...words);
    expect({ words, status, stderr }).toEqual({ words, status: 0, stderr: "" });
    return stdout;
  }

  it("lists docker's columns, the three networks that are always there among them", () => {
    const [title = "", ...lines] = output("network", "ls").trimEnd().split("\n");
    expect(title.split(/ {2,}/)).toEqual(["NETWORK ID", "NAME", "DRIVER", "SCOPE"]);
    expect(lines.map((line) => line.split(/ {2,}/).slice(1).join(" "))).toEqual([
      ...["bridge bridge local", "host host local", "none null local"],
    ]);
    expect(output("network", "ls", "-q", "--no-trunc", "--filter", "name=bri")).toMatch(
      /^[0-9a-f]{64}\n$/,
    );
  });

  it("makes, shows and removes networks", () => {
    const subnets = ["--subnet", "10.51.0.0/24", "--gateway", "10.51.0.254"];
    const id = output("network", "create", "--label", "a=b", ...subnets, "office");
    expect(id).toMatch(/^[0-9a-f]{64}\n$/);
    const [shown] = JSON.parse(output("network", "inspect", "office"));
    expect(shown).toMatchObject({
      Name: "office",
      Id: id.trim(),
      Driver: "bridge",
      IPAM: { Config: [{ Subnet: "10.51.0.0/24", Gateway: "10.51.0.254" }] },
      Containers: {},
      Labels: { a: "b" },
    });
    expect(output("network", "ls", "--filter", "label=a", "--format", "{{.Name}}")).toBe(
      "office\n",
    );
    const format = "{{json .IPAM.Config}}";
    expect(output("network", "inspect", "-f", format, "bridge")).toContain("10.50.0.0/16");
    expect(tsimg("network", "create", "office").stderr).toContain("already exists");
    expect(output("network", "rm", id.slice(0, 8))).toBe(`${id.slice(0, 8)}\n`);
    expect(tsimg("network", "rm", "office")).toMatchObject({ status: 1 });
    expect(output("network", "rm", "-f", "office")).toBe("");
    expect(tsimg("network", "rm", "host").stderr).toContain("pre-defined");
  });

  it("gives addresses of --ip-range, and others to who asks for them", () => {
    const range = ["--subnet", "10.51.1.0/24", "--ip-range", "10.51.1.192/26"];
    output("network", "create", ...range, "part");
    const [shown] = JSON.parse(output("network", "inspect", "part"));
    expect(shown.IPAM.Config).toEqual([
      { Subnet: "10.51.1.0/24", IPRange: "10.51.1.192/26", Gateway: "10.51.1.1" },
    ]);
    const any = world.start("any", { network: ["part"] });
    const asks = world.start("asks", { network: ["part"], ip: "10.51.1.7" });
    const [{ Containers: members }] = JSON.parse(output("network", "inspect", "part"));
    expect(members[any.id].IPv4Address).toBe("10.51.1.192/24");
    expect(members[asks.id].IPv4Address).toBe("10.51.1.7/24");
    for (const one of [any, asks]) world.end(one);
    output("network", "rm", "part");
    const lost = tsimg("network", "create", "--ip-range", "10.51.1.192/26", "part");
    expect(lost).toMatchObject({ status: 1, stdout: "" });
    expect(lost.stderr).toContain("is in no --subnet");
  });

  it("prunes what nobody is in, after it was told to", () => {
    output("network", "create", "idle");
    output("network", "create", "busy");
    const inside = world.start("inside", { network: ["busy"], publish: ["9000-9001:80-81"] });
    expect(tsimg("network", "prune").stderr).toContain("--force");
    expect(output("network", "prune", "-f")).toBe("Deleted Networks:\nidle\n\n");
    const [busy] = JSON.parse(output("network", "inspect", "busy"));
    expect(busy.Containers[inside.id]).toMatchObject({ Name: "inside" });
    const refused = tsimg("network", "rm", "busy");
    expect(refused).toMatchObject({ status: 1, stdout: "" });
    expect(refused.stderr).toContain(`has active endpoints`);
    expect(output("port", "inside")).toBe("80/tcp -> 0.0.0.0:9000\n81/tcp -> 0.0.0.0:9001\n");
    expect(output("port", "inside", "81")).toBe("0.0.0.0:9001\n");
    expect(tsimg("port", "inside", "82")).toMatchObject({ status: 1, stdout: "" });
    world.end(inside);
    expect(output("network", "rm", "busy", "bridge")).toBe("busy\nbridge\n");
    expect(run(["nft", "list", "tables"])).toBe("");
  });

  it("says what is wrong with a command line", () => {
    expect(tsimg("network", "paint").stderr).toContain("there is no 'network paint'");
    expect(tsimg("network", "create").stderr).toContain("missing required argument");
    expect(tsimg("network", "create", "-d", "overlay", "x").stderr).toContain('driver "overlay"');
    expect(tsimg("network", "connect", "host", "x").stderr).toContain("network host");
    expect(tsimg("network", "ls", "--filter", "x=y").stderr).toContain("invalid filter");
    expect(tsimg("network", "create", "--help").stdout).toContain("--internal");
  });
});
