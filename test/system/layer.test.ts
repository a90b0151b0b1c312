import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect, it } from "vitest";
import { dir, file, remove, symlink } from "../../fixtures/layers/change.ts";
import { layerTar } from "../../fixtures/layers/layer-tar.ts";
import { App } from "../../src/app.ts";
import { missing } from "../peers/requirements.ts";
import { ImageServer, type ServedImage } from "./support/image-server.ts";
import { lastingTraces } from "./support/leftovers.ts";
import { pullInto } from "./support/store.ts";
import { temporaryDirectory } from "./support/temporary.ts";

const absent = missing([]);
const TYPE = "application/vnd.oci.image.layer.v1.tar";
const tar = layerTar([dir("etc"), file("etc/passwd", "root:x:0:0::/:/bin/sh\n")]);
const half = tar.length >> 1;

/** Images that are odd but right: they must be taken. */
const ODD: Readonly<Record<string, ServedImage>> = {
  "an uncompressed layer": { layers: [{ tar, blob: tar, mediaType: TYPE }] },
  "a layer by zstd": { layers: [{ tar, blob: zstdCompressSync(tar), mediaType: `${TYPE}+zstd` }] },
  "gzip in two members, with zeros behind": {
    layers: [
      {
        tar,
        blob: Buffer.concat([
          gzipSync(tar.subarray(0, half)),
          gzipSync(tar.subarray(half)),
          Buffer.alloc(100),
        ]),
      },
    ],
  },
  "docker's own layer type": {
    layers: [{ tar, mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip" }],
  },
  "no layers at all": { layers: [] },
  "the same layer three times": { layers: [{ tar }, { tar }, { tar }] },
  "a layer without entries": { layers: [{ tar: Buffer.alloc(1024) }, { tar }] },
  "a user database that is a symlink in a circle": {
    layers: [{ tar: layerTar([symlink("etc/passwd", "group"), symlink("etc/group", "passwd")]) }],
  },
  "a user database that leads above the root": {
    layers: [{ tar: layerTar([symlink("etc/passwd", "../../../../etc/passwd")]) }],
  },
  "a user database that was taken away": {
    layers: [{ tar }, { tar: layerTar([remove("etc/passwd")]) }],
  },
};

for (const [title, image] of Object.entries(ODD))
  it.skipIf(absent !== undefined)(`takes ${title} ${absent ?? ""}`, async () => {
    await using server = await ImageServer.start();
    using root = temporaryDirectory();
    const reference = server.add("odd", image);
    expect((await pullInto(root.path, reference)).changed).toBe(true);
    expect((await pullInto(root.path, reference)).changed).toBe(false);
    using app = new App({ root: root.path });
    const snapshots = app.snapshots.walk();
    expect(snapshots).toHaveLength(image.layers.length);
    const top = snapshots.at(-1);
    // The host's own users must never be taken for the image's.
    if (top !== undefined)
      expect(app.snapshots.accounts(top.id) ?? "").not.toMatch(/daemon|nobody/);
    expect(await lastingTraces(root.path)).toEqual([]);
  });
