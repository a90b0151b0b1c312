import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { absent, LayeredStage } from "./support/layered-stage.ts";

interface Layer {
  readonly Layer: number;
  readonly Digest: string;
  readonly ChainID: string;
  readonly Added: number;
  readonly Replaced: number;
  readonly Deleted: number;
  readonly Drivers: readonly { Name: string; Snapshot: string; Data: Record<string, string> }[];
}

describe.skipIf(absent !== undefined)(`tree and rmi --driver ${absent ?? ""}`, () => {
  let stage: LayeredStage;
  beforeAll(async () => {
    stage = await LayeredStage.open();
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  async function tree() {
    const [image] = await stage.json("tree", stage.app);
    return image as unknown as { Drivers: readonly string[]; Layers: readonly Layer[] };
  }

  async function fails(args: string[], words: RegExp): Promise<void> {
    const { status, stdout, stderr } = await stage.tsimg.run(...args);
    expect({ status, stdout: stdout.toString() }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(words);
  }

  it("counts what each layer adds, replaces and deletes", async () => {
    const { Layers } = await tree();
    const counts = Layers.map(({ Added, Replaced, Deleted }) => [Added, Replaced, Deleted]);
    expect(counts.slice(1)).toEqual([
      [4, 0, 0],
      [2, 1, 1],
      [1, 0, 1],
    ]);
  });

  it("tells where each driver keeps a layer", async () => {
    const { Layers, Drivers } = await tree();
    expect(Drivers).toEqual(["overlay2"]);
    for (const layer of Layers) {
      expect(layer.Drivers.map(({ Name }) => Name)).toEqual(["overlay2"]);
      for (const { Data } of layer.Drivers)
        expect(Object.values(Data).some((path) => existsSync(path))).toBe(true);
    }
  });

  it("a layer's first line fits a screen, below it stand its places", async () => {
    const lines = (await stage.tsimg.output("tree", stage.app)).split("\n");
    expect(lines.slice(0, 3)).toEqual([
      expect.stringMatching(/^image +[0-9a-f]{12} +.*\/app:latest$/),
      "drivers  overlay2",
      "",
    ]);
    expect(lines[3]).toMatch(/^LAYER +DIGEST +SIZE +ADDED +REPLACED +DELETED +CREATED BY$/);
    const rows = lines.slice(4).filter((line) => /^ *\d/.test(line));
    expect(rows).toHaveLength(4);
    for (const row of rows) expect(row.length).toBeLessThanOrEqual(100);
    const places = lines.filter((line) => line.startsWith("        overlay2  /"));
    expect(places).toHaveLength(4);
  });

  it("images tells in which drivers an image is", async () => {
    const drivers = () => stage.tsimg.output("images", "--format", "{{.Drivers}}");
    expect(await drivers()).toBe("overlay2\noverlay2\n");
    expect(await stage.tsimg.output("images")).toMatch(/^REPOSITORY .* SIZE +DRIVERS\n/);
  });

  it("rmi --driver takes the copy of one driver, down to what another image needs", async () => {
    const chains = (await tree()).Layers;
    await fails(["rmi", "--driver", "zfs", stage.app], /is not unpacked in 'zfs'\n.*overlay2/);
    await fails(["rmi", "--driver", "overlay2", stage.base], /another image needs/);
    await stage.tsimg.output("run", "--name", "user", stage.app, "true");
    await fails(["rmi", "--driver", "overlay2", stage.app], /container 'user'.*\n.*tsimg rm user/);
    await stage.tsimg.output("rm", "user");

    const lines = chains.slice(1).map(({ ChainID }) => `Removed: overlay2 ${ChainID}\n`);
    const removed = await stage.tsimg.output("rmi", "--driver", "overlay2", stage.app);
    expect(removed).toBe(lines.toReversed().join(""));
    expect((await tree()).Layers.map(({ Drivers }) => Drivers.length)).toEqual([1, 0, 0, 0]);
    expect(await stage.tsimg.output("tree", stage.app)).toContain("drivers  none");
    const table = await stage.tsimg.output("images");
    expect(table).toMatch(/\/app .* -\n/);
    await fails(["rmi", "--driver", "overlay2", stage.app], /needs the layers/);

    await stage.pull();
    // Names and content stayed: no blob was fetched again.
    const layers = chains.map((layer) => layer.Digest);
    expect(layers.map((digest) => stage.gets.get(digest))).toEqual([1, 1, 1, 1]);
    expect((await tree()).Drivers).toEqual(["overlay2"]);
    expect(await stage.tsimg.output("run", "--rm", stage.app, "cat", "/data/new")).toBe("new");
  });
});
