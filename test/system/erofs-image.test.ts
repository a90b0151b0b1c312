import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
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
import { expectSame, linesOnDisk } from "../conformance/tree-lines.ts";
import { missing } from "../peers/requirements.ts";

const absent = missing(["fsck.erofs", "dump.erofs"]);
const title = `images of layers${absent === undefined ? "" : ` (skipped: ${absent})`}`;

describe.skipIf(absent !== undefined)(title, () => {
  let root: string;
  let count = 0;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "tsimg-erofs-"));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  /** The layer as an image, checked by fsck.erofs, and in a directory. */
  async function made(tar: Buffer): Promise<{ image: string; directory: string }> {
    const directory = join(root, `files-${++count}`);
    const place = join(root, `image-${count}`);
    mkdirSync(directory);
    mkdirSync(place);
    const { target, finish } = beginErofsLayer(place);
    const sink = new LayerSink(DEFAULT_TAR_LIMITS, target, finish);
    sink.push(tar);
    const { remainder } = sink.finish();
    using opened = openErofsLayer(place);
    stitchLayer(opened.upper, undefined, remainder);
    opened.finish();
    await writeFiles(tar, directory);
    const image = join(place, "layer.erofs");
    const { status, stdout, stderr } = await outcomeOf(["fsck.erofs", image]);
    expect({ status, text: `${stdout}${stderr}`.includes("<E>") }).toEqual({
      status: 0,
      text: false,
    });
    return { image, directory };
  }

  async function writeFiles(tar: Buffer, directory: string): Promise<void> {
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

  async function expectSameTrees(changes: readonly Change[] | Buffer): Promise<void> {
    const tar = Buffer.isBuffer(changes) ? changes : layerTar(changes);
    const { image, directory } = await made(tar);
    mounted(image, "file", (path) => expectSame(linesOnDisk(directory), linesOnDisk(path)));
    rmSync(directory, { recursive: true });
  }

  it("show the tree that a directory would, for the base layer of every conformance case", async () => {
    for (const [base] of Object.values(CASES)) if (base !== undefined) await expectSameTrees(base);
  });

  it("show the awkward image's first layer as a directory would", async () => {
    const [base] = await awkwardTars(join(root, "awkward"));
    await expectSameTrees(readFileSync(base ?? ""));
  });

  it("hold 20,000 small files in hardly more than their bytes", async () => {
    const files = Array.from({ length: 20_000 }, (_, index) =>
      binary(`d${index >> 8}/file-${index}`, noise(index % 1024, index + 1)),
    );
    const { image, directory } = await made(layerTar(files));
    const content = files.reduce((sum, { content }) => sum + content.length, 0);
    expect(statSync(image).size).toBeLessThan(1.15 * (content + 20_000 * 64));
    mounted(image, "file", (path) => expectSame(linesOnDisk(directory), linesOnDisk(path)));
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
    const { image } = await made(layerTar([file("f", "x"), link("g", "f"), symlink("s", "f")]));
    const text = await outputOf(["dump.erofs", "-s", image]);
    expect(text).toMatch(/Filesystem blocks:\s+2\n/);
    expect(text).toMatch(/root nid:\s+36\n/);
    expect(text).toMatch(/inode count:\s+3\n/);
    expect(text).toMatch(/features:.*sb_csum/);
    const inode = await outputOf(["dump.erofs", "--path=/g", image]);
    expect(inode).toMatch(/Links: 2/);
  });

  it("can be mounted through a loop device, which goes with the mount", async () => {
    const { image, directory } = await made(layerTar([file("d/f", "content")]));
    mounted(image, "loop", (path) => {
      expectSame(linesOnDisk(directory), linesOnDisk(path));
      expect(readFileSync("/proc/self/mountinfo", "utf8")).toMatch(/erofs \/dev\/loop\d+ ro/);
    });
    const { stdout } = await outcomeOf(["losetup", "-j", image]);
    expect(stdout.toString()).toBe("");
  });

  it("are refused, or read as far as they are whole, when bits flip", async () => {
    const { image } = await made(layerTar([file("d/f", "content"), dir("e"), symlink("s", "d")]));
    const bytes = readFileSync(image);
    const target = join(root, "mnt");
    for (let at = 1024; at < 1024 + 128 + 64; at += 3) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 0x10;
      const damaged = join(root, "damaged");
      writeFileSync(damaged, flipped);
      expect(() => mountImage(damaged, target, "file"), `byte ${at}`).toThrow();
      expect(isMounted(target)).toBe(false);
    }
  });
});
