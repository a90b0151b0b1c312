import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isMounted, mountImage, unmountImage } from "../../drivers/erofs/image-mount.ts";
import { outcomeOf, outputOf } from "../../fixtures/command.ts";
import { awkwardTars } from "../../fixtures/images/awkward-image.ts";
import { type Change, dir, file, link, symlink } from "../../fixtures/layers/change.ts";
import { layerTar } from "../../fixtures/layers/layer-tar.ts";
import { binary, noise, sparse } from "../../fixtures/layers/odd-change.ts";
import { LayerSink } from "../../src/layer/archive-sink.ts";
import { beginErofsLayer, openErofsLayer } from "../../src/layer/erofs/erofs-layer.ts";
import { DiskUpper } from "../../src/layer/stitch/disk-upper.ts";
import { stitchLayer } from "../../src/layer/stitch/stitch.ts";
import { DEFAULT_TAR_LIMITS } from "../../src/layer/tar/limits.ts";
import { CASES } from "../conformance/cases.ts";
import { timesAt } from "../conformance/keeps.ts";
import { expectSame, linesOnDisk } from "../conformance/tree-lines.ts";
import { missing } from "../peers/requirements.ts";

const GIBIBYTE = 2 ** 30;
const absent = missing(["fsck.erofs", "dump.erofs"]);
const title = `images of layers${absent === undefined ? "" : ` (skipped: ${absent})`}`;

describe.skipIf(absent !== undefined)(title, () => {
  let root: string;
  /** Where files are quick to make. */
  let memory: string;
  let count = 0;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "tsimg-erofs-"));
    memory = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "tsimg-erofs-"));
  });
  afterAll(() => {
    for (const path of [root, memory]) rmSync(path, { recursive: true, force: true });
  });

  /** The layer as an image, which fsck.erofs has nothing to say of. */
  async function imageOf(tar: Buffer): Promise<string> {
    const place = join(root, `image-${++count}`);
    mkdirSync(place);
    const { target, finish } = beginErofsLayer(place);
    const sink = new LayerSink(DEFAULT_TAR_LIMITS, target, finish);
    sink.push(tar);
    const { remainder } = sink.finish();
    using opened = openErofsLayer(place);
    stitchLayer(opened.upper, undefined, remainder);
    opened.finish();
    const image = join(place, "layer.erofs");
    const { status, stdout, stderr } = await outcomeOf(["fsck.erofs", image]);
    const complaint = `${stdout}${stderr}`.includes("<E>");
    expect({ status, complaint }).toEqual({ status: 0, complaint: false });
    return image;
  }

  /** The same layer in a directory. */
  function directoryOf(tar: Buffer): string {
    const directory = join(memory, `files-${++count}`);
    mkdirSync(directory);
    const [before, umask] = [process.cwd(), process.umask(0)];
    process.chdir(directory);
    try {
      const sink = LayerSink.onDisk(DEFAULT_TAR_LIMITS);
      sink.push(tar);
      stitchLayer(new DiskUpper(directory), undefined, sink.finish().remainder);
    } finally {
      process.chdir(before);
      process.umask(umask);
    }
    return directory;
  }

  function mounted<T>(image: string, through: "file" | "loop", action: (path: string) => T): T {
    const target = join(root, "mnt");
    mkdirSync(target, { recursive: true });
    mountImage(image, target, through);
    try {
      return action(target);
    } finally {
      unmountImage(target);
      expect(isMounted(target)).toBe(false);
    }
  }

  async function expectSameTrees(
    changes: readonly Change[] | Buffer,
    through: "file" | "loop" = "file",
  ): Promise<void> {
    const tar = Buffer.isBuffer(changes) ? changes : layerTar(changes);
    const directory = directoryOf(tar);
    mounted(await imageOf(tar), through, (path) =>
      expectSame(linesOnDisk(directory), linesOnDisk(path)),
    );
    rmSync(directory, { recursive: true });
  }

  it("show the tree that a directory would, for the base layer of every conformance case", async () => {
    const { first, last } = timesAt(memory);
    const isKept = ({ entry }: Change) =>
      entry.mtime.seconds >= first && entry.mtime.seconds <= last;
    for (const [base] of Object.values(CASES)) await expectSameTrees((base ?? []).filter(isKept));
  });

  it("show the awkward image's first layer as a directory would", async () => {
    const [base] = await awkwardTars(join(memory, "awkward"));
    await expectSameTrees(readFileSync(base ?? ""));
  });

  it("hold 20,000 small files in hardly more than their bytes", async () => {
    const files = Array.from({ length: 20_000 }, (_, index) =>
      binary(`d${index >> 8}/file-${index}`, noise(index % 1024, index + 1)),
    );
    const content = files.reduce((sum, file) => sum + file.content.length, 0);
    const { size } = statSync(await imageOf(layerTar(files)));
    expect(size).toBeLessThan(1.15 * (content + 20_000 * 64));
  });

  it("hold a sparse file of 6 GiB, of which two pieces are there", async () => {
    const tree = join(root, "sparse");
    mkdirSync(tree);
    const fd = openSync(join(tree, "f"), "w");
    writeSync(fd, "first", 5 * GIBIBYTE + 5);
    writeSync(fd, "last", 6 * GIBIBYTE - 4);
    closeSync(fd);
    const archive = join(root, "sparse.tar");
    await outputOf(["tar", "-C", tree, "--sparse", "--format=pax", "-cf", archive, "f"]);
    const image = await imageOf(readFileSync(archive));
    expect(statSync(image).blocks * 512).toBeLessThan(1_000_000);
    mounted(image, "file", (path) => {
      expect(statSync(join(path, "f")).size).toBe(6 * GIBIBYTE);
      const opened = openSync(join(path, "f"), "r");
      const bytes = (position: number, length: number) => {
        const found = Buffer.alloc(length);
        return found.toString("latin1", 0, readSync(opened, found, 0, length, position));
      };
      expect(bytes(5 * GIBIBYTE, 15)).toBe("\0\0\0\0\0first\0\0\0\0\0");
      expect(bytes(6 * GIBIBYTE - 6, 9)).toBe("\0\0last");
      expect(bytes(GIBIBYTE, 3)).toBe("\0\0\0");
      closeSync(opened);
    });
  });

  it("hold large files, large directories and holes", async () => {
    const names = Array.from({ length: 5000 }, (_, index) =>
      file(`many/${"n".repeat(index % 200)}${index}`),
    );
    await expectSameTrees([
      ...names,
      binary("big", noise(3_000_000)),
      sparse("holes", 50_000_000, [[30_000_000, "middle"]]),
      file("attributes", "", { xattrs: { "user.a": "x".repeat(3000), "trusted.b": "y" } }),
      dir("empty"),
    ]);
  });

  it("are what dump.erofs says they are", async () => {
    const image = await imageOf(layerTar([file("f", "x"), link("g", "f"), symlink("s", "f")]));
    const text = await outputOf(["dump.erofs", "-s", image]);
    expect(text).toMatch(/Filesystem blocks:\s+2\n/);
    expect(text).toMatch(/root nid:\s+36\n/);
    expect(text).toMatch(/inode count:\s+3\n/);
    expect(text).toMatch(/features:.*sb_csum/);
    const inode = await outputOf(["dump.erofs", "--path=/g", image]);
    expect(inode).toMatch(/Links: 2/);
  });

  it("can be mounted through a loop device, which goes with the mount", async () => {
    await expectSameTrees([file("d/f", "content")], "loop");
    const image = await imageOf(layerTar([file("f")]));
    mounted(image, "loop", () => {
      expect(readFileSync("/proc/self/mountinfo", "utf8")).toMatch(/erofs \/dev\/loop\d+ ro/);
    });
    const { stdout } = await outcomeOf(["losetup", "-j", image]);
    expect(stdout.toString()).toBe("");
  });

  it("are not mounted when any bit of their first block is wrong", async () => {
    const image = await imageOf(layerTar([file("d/f", "content"), symlink("s", "d")]));
    const bytes = readFileSync(image);
    const target = join(root, "mnt");
    const damaged = join(root, "damaged");
    for (let at = 1024; at < 4096; at += 61) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 0x10;
      writeFileSync(damaged, flipped);
      expect(() => mountImage(damaged, target, "file"), `byte ${at}`).toThrow(/can't be mounted/);
    }
    expect(isMounted(target)).toBe(false);
  });
});
