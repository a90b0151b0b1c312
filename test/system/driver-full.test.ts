import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { file } from "../../fixtures/layers/change.ts";
import { layerTar } from "../../fixtures/layers/layer-tar.ts";
import { binary, noise } from "../../fixtures/layers/odd-change.ts";
import { loopFileSystem, programsFor } from "../conformance/support/loop-file-system.ts";
import { missing } from "../peers/requirements.ts";
import { strayed } from "./support/after-kill.ts";
import { busyboxLayer, hasBusybox } from "./support/busybox-image.ts";
import { DRIVER_KINDS, type DriverKind } from "./support/driver-places.ts";
import { ImageServer, type ServedLayer } from "./support/image-server.ts";
import { temporaryDirectory } from "./support/temporary.ts";
import { Tsimg } from "./support/tsimg.ts";

const MEBIBYTE = 1 << 20;
/** The whole store on ext4, or the pool; and an image that doesn't fit, in MiB. */
const SIZE = { ext4: "160M", pool: "320M" };
const TOO_BIG = { ext4: 200, pool: 400 };
/** mkfs.ext4 makes 40,960 inodes for 160 MiB. */
const TOO_MANY_FILES = 45_000;
const NO_SPACE = /no space left (on|in)|the quota of|out of space/;
const NO_INODES = /no free inodes on/;

const IN_ROOT = new Set(["overlay2", "vfs", "erofs"]);
const absentHere = hasBusybox() ? missing(programsFor("ext4")) : "needs a static busybox";

for (const kind of DRIVER_KINDS) {
  const absent = absentHere ?? kind.absent;
  describe.skipIf(absent !== undefined)(`driver ${kind.title} ${absent ?? ""}`, () => {
    it("says that bytes ran out during a pull and during a run, and goes on after", async () => {
      await onFullPlace(kind, async ({ tsimg, driver, server, small }) => {
        const big = server.add("big", {
          layers: [busyboxLayer(), noiseLayer(TOO_BIG[IN_ROOT.has(kind.title) ? "ext4" : "pool"])],
        });
        await expectRefusal(tsimg, driver, ["pull", "--driver", driver, big], NO_SPACE);
        await expectWorks(tsimg, driver, small);
        // In the container it is the program that is told.
        const filling = "dd if=/dev/urandom of=/fill bs=1M 2>&1";
        const ran = await tsimg.run(
          "run",
          "--name",
          "full",
          "--driver",
          driver,
          small,
          "sh",
          "-c",
          filling,
        );
        expect(ran.stdout.toString()).toMatch(/No space left on device/);
        await expectRefusal(tsimg, driver, ["pull", "--driver", driver, big], NO_SPACE);
        await tsimg.output("rm", "full");
        const medium = server.add("medium", { layers: [busyboxLayer(), noiseLayer(40)] });
        await tsimg.output("pull", "-q", "--driver", driver, medium);
        await tsimg.output("rmi", medium);
        await tsimg.output("pull", "-q", "--driver", driver, medium);
        await expectWorks(tsimg, driver, small);
      });
    }, 600_000);

    // The others take as many files as there is room for.
    if (IN_ROOT.has(kind.title))
      it("says that inodes ran out, where its file system has a fixed number", async () => {
        await onFullPlace(kind, async ({ tsimg, driver, server, small }) => {
          const many = server.add("many", { layers: [busyboxLayer(), manyFilesLayer()] });
          if (kind.title === "erofs") {
            // A layer takes one inode, however many files are in it.
            await tsimg.output("pull", "-q", "--driver", driver, many);
            return;
          }
          await expectRefusal(tsimg, driver, ["pull", "--driver", driver, many], NO_INODES);
          await expectWorks(tsimg, driver, small);
        });
      }, 600_000);
  });
}

interface FullPlace {
  readonly tsimg: Tsimg;
  readonly driver: string;
  readonly server: ImageServer;
  /** An image that is there before anything runs out. */
  readonly small: string;
}

/** A store with one image on a place that is soon full. */
async function onFullPlace(
  kind: DriverKind,
  action: (place: FullPlace) => Promise<void>,
): Promise<void> {
  await using server = await ImageServer.start();
  await using disk = IN_ROOT.has(kind.title) ? await loopFileSystem("ext4", SIZE.ext4) : undefined;
  using directory = temporaryDirectory();
  const tsimg = new Tsimg(join(disk?.path ?? directory.path, "store"));
  await using place = await kind.prepare(tsimg, SIZE.pool);
  const small = server.add("small", { layers: [busyboxLayer()] });
  await tsimg.output("pull", "-q", "--driver", place.driver, small);
  await action({ tsimg, driver: place.driver, server, small });
  await tsimg.clear();
  expect(strayed(tsimg.root, place.driver)).toEqual([]);
}

async function expectRefusal(
  tsimg: Tsimg,
  driver: string,
  command: readonly string[],
  why: RegExp,
): Promise<void> {
  const { status, stderr } = await tsimg.run(...command);
  expect(status, stderr).toBe(1);
  expect(stderr).toMatch(why);
  expect(strayed(tsimg.root, driver)).toEqual([]);
}

async function expectWorks(tsimg: Tsimg, driver: string, image: string): Promise<void> {
  expect(await tsimg.images()).toContain(image);
  const words = ["run", "--rm", "--driver", driver, image, "echo", "works"];
  expect(await tsimg.output(...words)).toBe("works\n");
}

function noiseLayer(mebibytes: number): ServedLayer {
  const files = Array.from({ length: mebibytes / 20 }, (_, at) =>
    binary(`noise/${at}`, noise(20 * MEBIBYTE, at + mebibytes)),
  );
  const tar = layerTar(files);
  return { tar, blob: tar };
}

function manyFilesLayer(): ServedLayer {
  return {
    tar: layerTar(Array.from({ length: TOO_MANY_FILES }, (_, at) => file(`many/${at % 50}/${at}`))),
  };
}
