import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { awkwardImage } from "../../fixtures/images/awkward-image.ts";
import { linesOnDisk } from "../conformance/tree-lines.ts";
import { comparable, LOOK_AND_WRITE } from "../system/support/container-program.ts";
import { beside, inPool } from "../system/support/driver-places.ts";
import { ImageServer, type ServedLayer } from "../system/support/image-server.ts";
import { killMany } from "../system/support/kill-many.ts";
import { temporaryDirectory } from "../system/support/temporary.ts";
import { Tsimg } from "../system/support/tsimg.ts";

/** A command takes seconds here. */
const KILLS = 8;

/**
 * The drivers that only this kernel has, as a user meets them: through the commands. And erofs
 * and overlay2, since this kernel is older than most that they are tried on.
 */
for (const kind of [
  beside("erofs"),
  inPool("devicemapper", "devicemapper", "devicemapper", undefined),
  inPool("zfs", "zfs", "zfs", undefined),
])
  describe(`tsimg on ${kind.title}`, () => {
    it("shows the tree that overlay2 shows, and a container finds the same in it", async () => {
      await using server = await ImageServer.start();
      using directory = temporaryDirectory();
      const tsimg = new Tsimg(join(directory.path, "store"));
      await using place = await kind.prepare(tsimg);
      const image = server.add("same", { layers: await awkwardLayers() });
      const seen = [];
      for (const driver of ["overlay2", place.driver]) {
        await tsimg.output("pull", "-q", "--driver", driver, image);
        const mounted = (await tsimg.output("mount", "--driver", driver, image)).trimEnd();
        await using unmounting = new AsyncDisposableStack();
        unmounting.defer(async () => {
          await tsimg.output("umount", mounted);
        });
        const tree = linesOnDisk(mounted);
        const words = ["--network", "none", "--driver", driver, image, "sh", "-c", LOOK_AND_WRITE];
        const printed = comparable(await tsimg.output("run", "--rm", ...words));
        seen.push({ tree, printed });
      }
      expect(seen[1]).toEqual(seen[0]);
      expect(seen[0]?.tree.size).toBeGreaterThan(80);
    });

    it(`is put right by the next command after SIGKILL (${KILLS} kills)`, () =>
      killMany(kind, KILLS));
  });

/** Made before the guest was booted, which has no network. */
async function awkwardLayers(): Promise<readonly ServedLayer[]> {
  const layout = await awkwardImage();
  const read = (digest: string) => readFileSync(join(layout, "blobs", digest.replace(":", "/")));
  const json = (bytes: Buffer) => JSON.parse(bytes.toString());
  const index = json(readFileSync(join(layout, "index.json")));
  const { layers } = json(read(index.manifests[0].digest));
  return layers.map(({ digest }: { digest: string }) => ({ tar: gunzipSync(read(digest)) }));
}
