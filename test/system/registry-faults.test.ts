import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { file } from "../../fixtures/layers/change.ts";
import { layerTar } from "../../fixtures/layers/layer-tar.ts";
import { missing } from "../peers/requirements.ts";
import { ImageServer } from "./support/image-server.ts";
import { filesOf, lastingTraces } from "./support/leftovers.ts";
import { rowsOf } from "./support/store.ts";
import { temporaryDirectory } from "./support/temporary.ts";
import { Tsimg } from "./support/tsimg.ts";

const absent = missing([]);
const SIZE = 3 << 20;

/** A layer that gzip can't make smaller. */
function noise(): { tar: Buffer } {
  const content = randomBytes(SIZE);
  const { entry } = file("noise");
  return { tar: layerTar([{ entry: { ...entry, size: SIZE }, content }]) };
}

it.skipIf(absent !== undefined)(
  `a connection that breaks again and again is gone on with ${absent ?? ""}`,
  async () => {
    await using server = await ImageServer.start();
    using directory = temporaryDirectory();
    const tsimg = new Tsimg(directory.path);
    server.cutAfter = 2 << 20;
    await tsimg.output("pull", "-q", server.add("cut", { layers: [noise()] }));
    expect(server.blobBytes).toBeLessThan(SIZE * 1.02);
    await tsimg.clear();
    expect(rowsOf(tsimg.root)).toEqual([]);
  },
);

for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const)
  it.skipIf(absent !== undefined)(
    `a pull that ${signal} ends is gone on with by the next one ${absent ?? ""}`,
    async () => {
      await using server = await ImageServer.start();
      using directory = temporaryDirectory();
      const tsimg = new Tsimg(join(directory.path, "store"));
      const image = server.add("stopped", { layers: [noise()] });
      server.bytesPerSecond = 3 << 20;
      const pull = tsimg.start("pull", image);
      const ended = new Promise<number | null>((resolve) => pull.on("close", resolve));
      while (server.blobBytes < SIZE / 2) await sleep(10);
      pull.kill(signal);
      expect(await ended).toBe({ SIGINT: 130, SIGTERM: 130, SIGKILL: null }[signal]);
      expect(await lastingTraces(tsimg.root)).toEqual([]);
      expect(await tsimg.images()).toEqual([]);
      if (signal !== "SIGKILL") {
        const kept = filesOf(tsimg.root).filter((path) => /ingests\/|overlay2\/[^l]/.test(path));
        expect(kept).toHaveLength(1);
        expect(rowsOf(tsimg.root).filter((row) => !row.startsWith("content:"))).toEqual([]);
      }
      server.bytesPerSecond = undefined;
      const before = server.blobBytes;
      await tsimg.output("pull", "-q", image);
      expect(server.blobBytes - before).toBeLessThan(SIZE * 0.6);
      await tsimg.clear();
      expect(rowsOf(tsimg.root)).toEqual([]);
    },
  );
