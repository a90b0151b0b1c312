import { join } from "node:path";
import { expect, it } from "vitest";
import { missing } from "../peers/requirements.ts";
import { busyboxLayer, fillerLayer, hasBusybox } from "./support/busybox-image.ts";
import { ImageServer } from "./support/image-server.ts";
import { lastingTraces } from "./support/leftovers.ts";
import { rowsOf } from "./support/store.ts";
import { temporaryDirectory } from "./support/temporary.ts";
import { Tsimg } from "./support/tsimg.ts";

const absent = hasBusybox() ? missing([]) : "needs a static busybox";
const FOUR = [0, 1, 2, 3];

it.skipIf(absent !== undefined)(
  `four pulls of one image fetch and unpack each layer once ${absent ?? ""}`,
  async () => {
    await using stage = await startStage();
    const image = stage.server.add("one", {
      layers: [busyboxLayer(), fillerLayer("a"), fillerLayer("b")],
    });
    await Promise.all(FOUR.map(() => stage.tsimg.output("pull", "-q", image)));
    expect(stage.fetchedTwice()).toEqual([]);
    expect(layersOf(stage.tsimg.root)).toHaveLength(3);
    await stage.leavesNothing();
  },
);

it.skipIf(absent !== undefined)(
  `pulls of images that share layers fetch and unpack each layer once ${absent ?? ""}`,
  async () => {
    await using stage = await startStage();
    const shared = [busyboxLayer(), fillerLayer("a")];
    // "x" lies in both, on different layers: one blob, two snapshots.
    const [one, two] = [
      stage.server.add("one", { layers: [...shared, fillerLayer("b"), fillerLayer("x")] }),
      stage.server.add("two", { layers: [...shared, fillerLayer("x"), fillerLayer("c")] }),
    ];
    await Promise.all([one, two, one, two].map((image) => stage.tsimg.output("pull", "-q", image)));
    expect(stage.fetchedTwice()).toEqual([]);
    expect(layersOf(stage.tsimg.root)).toHaveLength(6);
    for (const image of [one, two])
      expect(await stage.tsimg.output("run", "--rm", image, "ls", "/")).toContain("x\n");
    await stage.leavesNothing();
  },
);

it.skipIf(absent !== undefined)(
  `eight containers at once, and ps between them ${absent ?? ""}`,
  async () => {
    await using stage = await startStage();
    const { tsimg } = stage;
    const image = stage.server.add("one", { layers: [busyboxLayer()] });
    await tsimg.output("pull", "-q", image);
    const runs = Array.from({ length: 8 }, (_, index) =>
      tsimg.output("run", "--rm", image, "echo", `${index}`),
    );
    const detached = FOUR.map(() => tsimg.output("run", "-d", image, "sleep", "60"));
    for (const _ of FOUR) await tsimg.output("ps", "-a");
    expect(await Promise.all(runs)).toEqual(runs.map((_, index) => `${index}\n`));
    const ids = (await Promise.all(detached)).map((id) => id.trim());
    const running = await tsimg.output("ps", "-q", "--no-trunc");
    expect(running.split("\n").filter(Boolean).sort()).toEqual([...ids].sort());
    await stage.leavesNothing(ids);
  },
);

it.skipIf(absent !== undefined)(
  `a run beside rmi works or says that there is no image ${absent ?? ""}`,
  async () => {
    await using stage = await startStage();
    const { tsimg, server } = stage;
    const image = server.add("one", { layers: [busyboxLayer(), fillerLayer("a")] });
    for (const _ of FOUR) {
      await tsimg.output("pull", "-q", image);
      const runs = FOUR.map(() => tsimg.run("run", "--rm", "--pull", "never", image, "echo", "x"));
      const removed = await tsimg.run("rmi", "-f", image);
      expect(removed.stderr).toBe("");
      for (const { status, stdout, stderr } of await Promise.all(runs)) {
        if (status === 0) expect(stdout.toString()).toBe("x\n");
        else expect(stderr).toMatch(/no such image|just removed/);
      }
    }
    await stage.leavesNothing();
  },
);

async function startStage() {
  const server = await ImageServer.start();
  const directory = temporaryDirectory();
  const tsimg = new Tsimg(join(directory.path, "store"));
  return {
    server,
    tsimg,
    /** Layers that were asked for more than once. */
    fetchedTwice: () =>
      [...server.gets].filter(([digest, count]) => server.isLayer(digest) && count > 1),
    leavesNothing: async (containers: readonly string[] = []) => {
      await tsimg.clear();
      expect(rowsOf(tsimg.root)).toEqual([]);
      expect(await lastingTraces(tsimg.root, containers)).toEqual([]);
    },
    async [Symbol.asyncDispose]() {
      await tsimg.clear();
      directory[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function layersOf(root: string): readonly string[] {
  return rowsOf(root).filter((row) => row.startsWith("snapshots:"));
}
