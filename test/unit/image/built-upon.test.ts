import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { type Image, ImageStore, NO_CHAIN } from "../../../src/image/image-store.ts";
import { type ChainId, type DiffId, sha256Digest } from "../../../src/oci/digest.ts";
import { Database } from "../../../src/store/database.ts";

it("an image is built upon another whose layers are its first ones", () => {
  const root = mkdtempSync(join(tmpdir(), "tsimg-images-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  using database = new Database(join(root, "tsimg.db"));
  const images = new ImageStore(database);

  function put(name: string, chains: readonly string[]): Image {
    const digest = sha256Digest(Buffer.from(name));
    const layers = chains.map((chain) => {
      const blob = sha256Digest(Buffer.from(chain));
      const shared = { digest: blob, size: 1, mediaType: "layer" };
      return { ...shared, diffId: `${blob}` as DiffId, chainId: chain as ChainId };
    });
    const image: Image = {
      ...{ digest, mediaType: "manifest", configDigest: digest, config: "{}", created: null },
      ...{ architecture: "amd64", os: "linux", variant: null, size: 1 },
      chainId: layers.at(-1)?.chainId ?? NO_CHAIN,
    };
    images.put(`registry.example/${name}:latest`, digest, image, layers);
    return image;
  }

  const base = put("base", ["a"]);
  const child = put("child", ["a", "a-b"]);
  const grandchild = put("grandchild", ["a", "a-b", "a-b-c"]);
  const other = put("other", ["x", "x-a"]);
  const empty = put("empty", []);
  const digests = (...all: readonly Image[]) => all.map(({ digest }) => digest).toSorted();
  expect(images.builtUpon(base).toSorted()).toEqual(digests(base, child, grandchild));
  expect(images.builtUpon(child).toSorted()).toEqual(digests(child, grandchild));
  expect(images.builtUpon(other)).toEqual(digests(other));
  expect(images.builtUpon(empty)).toEqual(digests(empty));
});
