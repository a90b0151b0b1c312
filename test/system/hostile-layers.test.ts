import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { file } from "../../fixtures/layers/change.ts";
import {
  DEEP_THEN_REFUSED,
  ESCAPES,
  type HostileImage,
  LIES,
} from "../../fixtures/layers/hostile.ts";
import { layerTar } from "../../fixtures/layers/layer-tar.ts";
import { TsimgError } from "../../src/sys/error.ts";
import { missing } from "../peers/requirements.ts";
import { ImageServer } from "./support/image-server.ts";
import { filesOf, lastingTraces } from "./support/leftovers.ts";
import { pullInto, rowsOf } from "./support/store.ts";
import { temporaryDirectory } from "./support/temporary.ts";

const absent = missing([]);
const LIMIT = 1 << 20;

describe.skipIf(absent !== undefined)(`hostile layers ${absent ?? ""}`, () => {
  let server: ImageServer;
  beforeAll(async () => {
    server = await ImageServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const isRefused = async (image: HostileImage, parallel = 3): Promise<void> => {
    using root = temporaryDirectory();
    const reference = server.add("hostile", image);
    const pull = pullInto(root.path, reference, { maxLayerBytes: LIMIT, parallel });
    const error = await pull.then(
      () => "nothing was refused",
      (failure: unknown) => failure,
    );
    if (!(error instanceof TsimgError)) throw error;
    expect(error.message).toMatch(image.says);
    expect(error.code).toBe(image.code);
    expect(error.message).toMatch(/^(layer '|blob '?)sha256:[0-9a-f]{64}/);
    expect(rowsOf(root.path)).toEqual([]);
    expect(filesOf(root.path).filter((path) => !EMPTY_STORE.has(path))).toEqual([]);
    expect(await lastingTraces(root.path)).toEqual([]);
    expect(existsSync(join(root.path, "../out"))).toBe(false);
  };

  describe("are refused, and nothing of them stays", () => {
    for (const [title, image] of Object.entries({ ...ESCAPES, ...LIES }))
      it(title, () => isRefused(image));

    it("a tree as deep as a path can be", () => isRefused(DEEP_THEN_REFUSED));

    it("the first of several, while the others wait for their turn to be fetched", async () => {
      const pad = randomBytes(1 << 20).toString("latin1");
      const bad = layerTar([file("/etc/passwd"), file("pad", pad)]);
      const others = [1, 2, 3, 4].map((size) => ({ tar: layerTar([file("f", "x".repeat(size))]) }));
      server.bytesPerSecond = 3 << 20;
      const image = {
        layers: [{ tar: bad }, ...others],
        code: "ERR_LAYER_UNSAFE",
        says: /absolute/,
      };
      for (const parallel of [1, 2, 3]) await isRefused(image, parallel);
      server.bytesPerSecond = undefined;
    });
  });
});

/** Directories that a store has once it was used. */
const EMPTY_STORE = new Set([
  ...["content", "content/blobs", "content/blobs/sha256", "content/ingests"],
  ...["overlay2", "overlay2/l", "view"],
]);
