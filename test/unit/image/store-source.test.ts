import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ContentStore } from "../../../src/content/content-store.ts";
import { type Image, ImageStore, NO_CHAIN } from "../../../src/image/image-store.ts";
import { StoreSource } from "../../../src/image/store-source.ts";
import { chainIds, type DiffId, type Digest, sha256Digest } from "../../../src/oci/digest.ts";
import {
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER_GZIP,
  OCI_MANIFEST,
} from "../../../src/oci/media-types.ts";
import { Database } from "../../../src/store/database.ts";
import { storePaths } from "../../../src/store/paths.ts";

const root = mkdtempSync(join(tmpdir(), "tsimg-store-source-"));
const paths = storePaths(root);
const database = new Database(paths.database);
const content = new ContentStore(database, paths);
const images = new ImageStore(database);
const source = new StoreSource({ content, images });
afterAll(() => {
  database[Symbol.dispose]();
  rmSync(root, { recursive: true });
});

const first = addImage("first");
const second = addImage("second");
const absent = sha256Digest(Buffer.from("never pulled"));
const whole = addIndex([first.digest, second.digest]);
const partial = addIndex([first.digest, absent]);
name("docker.io/library/alpine:3", first.digest, first);
name("host.example:5000/team/app:whole", whole, first);
name("host.example:5000/team/app:partial", partial, first);
name(`host.example:5000/team/app@${partial}`, partial, first);
name("a.example/team/twice:1", first.digest, first);
name("b.example/team/twice:1", second.digest, second);

test("repositories lose their registry, and a name by digest has no tag", () => {
  expect(source.repositories().toSorted()).toEqual(["library/alpine", "team/app", "team/twice"]);
  expect(source.tags("team/app")?.toSorted()).toEqual(["partial", "whole"]);
  expect(source.tags("library/alpine")).toEqual(["3"]);
  expect(source.tags("alpine")).toBeUndefined();
});

test("when two registries have one name, the first in alphabetical order has it", () => {
  expect(source.manifest("team/twice", "1")?.digest).toBe(first.digest);
  expect(source.manifest("team/twice", second.digest)?.digest).toBe(second.digest);
});

test("an index is served under its tag when all its images are here", () => {
  expect(source.manifest("team/app", "whole")).toMatchObject({
    digest: whole,
    mediaType: OCI_INDEX,
  });
  expect(source.manifest("team/app", second.digest)?.digest).toBe(second.digest);
  expect(source.blob("team/app", second.configDigest)?.size).toBe(second.config.length);
});

test("of an index that is here in part, the tag means the image and the digest the index", () => {
  const served = { digest: first.digest, mediaType: OCI_MANIFEST };
  expect(source.manifest("team/app", "partial")).toMatchObject(served);
  expect(source.manifest("team/app", partial)?.mediaType).toBe(OCI_INDEX);
  expect(source.manifest("team/app", absent)).toBeUndefined();
});

test("what is served has the bytes of its digest", () => {
  for (const reference of ["whole", "partial", whole, first.digest]) {
    const manifest = source.manifest("team/app", reference);
    expect(sha256Digest(manifest?.bytes ?? Buffer.of())).toBe(manifest?.digest);
  }
});

test("a repository has the manifests and blobs of its own images only", () => {
  const [layer] = images.layers(second.digest);
  const digest = layer?.digest ?? absent;
  expect(source.blob("team/app", digest)?.path).toBe(content.path(digest));
  expect(source.blob("library/alpine", digest)).toBeUndefined();
  expect(source.manifest("library/alpine", second.digest)).toBeUndefined();
  expect(source.manifest("library/alpine", whole)).toBeUndefined();
  expect(source.blob("nothing", digest)).toBeUndefined();
  // A manifest is no blob: it has an endpoint of its own.
  expect(source.blob("team/app", second.digest)).toBeUndefined();
});

function addImage(text: string): Image {
  const diffId = sha256Digest(Buffer.from(`tar of ${text}`)) as string as DiffId;
  const config = JSON.stringify({ os: "linux", architecture: text, rootfs: {} });
  const layer = content.write(Buffer.from(`layer of ${text}`));
  const layers = [describe(OCI_LAYER_GZIP, `layer of ${text}`)];
  const manifest = { mediaType: OCI_MANIFEST, config: describe(OCI_CONFIG, config), layers };
  const digest = content.write(Buffer.from(JSON.stringify({ schemaVersion: 2, ...manifest })));
  const configDigest = content.write(Buffer.from(config));
  const image: Image = {
    digest,
    mediaType: OCI_MANIFEST,
    configDigest,
    config,
    created: null,
    architecture: text,
    os: "linux",
    variant: null,
    size: 0,
    chainId: chainIds([diffId])[0] ?? NO_CHAIN,
  };
  const { chainId } = image;
  const mediaType = OCI_LAYER_GZIP;
  images.put(`docker.io/library/unserved-${text}:1`, digest, image, [
    { digest: layer, size: 1, mediaType, diffId, chainId },
  ]);
  database.run("delete from images");
  return image;
}

function addIndex(manifests: readonly Digest[]): Digest {
  const entries = manifests.map((digest) => ({ mediaType: OCI_MANIFEST, digest, size: 1 }));
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: entries };
  return content.write(Buffer.from(JSON.stringify(index)));
}

function name(text: string, target: Digest, image: Image): void {
  images.put(text, target, image, images.layers(image.digest));
}

function describe(mediaType: string, text: string) {
  const bytes = Buffer.from(text);
  return { mediaType, digest: sha256Digest(bytes), size: bytes.length };
}
