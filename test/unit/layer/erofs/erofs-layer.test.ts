import { existsSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  type Change,
  dir,
  fifo,
  file,
  link,
  opaque,
  remove,
  symlink,
} from "../../../../fixtures/layers/change.ts";
import { binary, noise, sparse } from "../../../../fixtures/layers/odd-change.ts";
import { openErofsLayer } from "../../../../src/layer/erofs/erofs-layer.ts";
import { TreeRoot } from "../../../../src/layer/stitch/tree-path.ts";
import type { ByteString } from "../../../../src/layer/tar/byte-string.ts";
import { errorCode } from "../../../../src/sys/errno.ts";
import { TsimgError } from "../../../../src/sys/error.ts";
import { ImageOnDisk } from "./image-on-disk.ts";
import { readImage, type Shown } from "./read-image.ts";

const SIZES = [0, 1, 3000, 4032, 4033, 4095, 4096, 4097, 8191, 8192, 70_000];

function imageOf(changes: readonly Change[], piece?: number): ReadonlyMap<string, Shown> {
  using image = new ImageOnDisk();
  image.unpack(changes, piece);
  image.complete();
  return readImage(image.read());
}

it("keeps files of every size, described in any way, cut anywhere", () => {
  const described = fc.record({
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: fc.constantFrom(0, 1000, 65_535, 65_536, 4_000_000_000),
    gid: fc.constantFrom(0, 65_536),
    mtime: fc.record({
      seconds: fc.constantFrom(0, -1, -5_000_000_000, 1_600_000_000, 5_000_000_000),
      nanoseconds: fc.constantFrom(0, 1, 999_999_999),
    }),
    xattrs: fc.dictionary(
      fc.constantFrom("user.a", "trusted.b", "security.c", "user.with a long name"),
      fc.constantFrom("", "v", "\0\xff", "x".repeat(3999), "y".repeat(60_000)),
      { noNullPrototype: true },
    ),
  });
  const size = fc.oneof(fc.constantFrom(...SIZES), fc.nat(20_000));
  const files = fc.array(fc.tuple(size, described), { maxLength: 12 });
  fc.assert(
    fc.property(files, fc.integer({ min: 500, max: 9000 }), (plans, piece) => {
      const changes = plans.map(([bytes, meta], index) =>
        binary(`d${index % 3}/f${index}`, noise(bytes, index + 1), meta),
      );
      const shown = imageOf(changes, piece);
      for (const { entry, content } of changes) {
        const found = shown.get(entry.path);
        expect(found?.content.equals(content)).toBe(true);
        expect(found).toMatchObject({
          mode: 0o100000 | entry.mode,
          uid: entry.uid,
          gid: entry.gid,
          links: 1,
          mtime: BigInt(entry.mtime.seconds) * 1_000_000_000n + BigInt(entry.mtime.nanoseconds),
          xattrs: Object.fromEntries(
            [...entry.xattrs].map(([name, value]) => [name, value.toString("latin1")]),
          ),
        });
      }
    }),
    { numRuns: 60 },
  );
});

it("keeps every type, hard links, and the whiteouts as one 0:0 device", () => {
  const shown = imageOf([
    dir("./", { mode: 0o700, uid: 3, xattrs: { "trusted.r": "1" } }),
    symlink("s", "t".repeat(4090), { uid: 7 }),
    symlink("short", "d/f"),
    fifo("p", { mode: 0o620 }),
    file("d/f", "content"),
    link("d/g", "d/f"),
    link("also", "short"),
    remove("gone"),
    remove("d/gone"),
  ]);
  expect(shown.get("")).toMatchObject({ mode: 0o40700, uid: 3, links: 3 });
  expect(shown.get("")?.xattrs).toEqual({ "trusted.r": "1" });
  expect(shown.get("s")?.content.toString()).toBe("t".repeat(4090));
  expect(shown.get("s")).toMatchObject({ mode: 0o120777, uid: 7 });
  expect(shown.get("p")?.mode).toBe(0o10620);
  expect(shown.get("d/f")).toMatchObject({ links: 2 });
  expect(shown.get("d/g")?.number).toBe(shown.get("d/f")?.number);
  expect(shown.get("also")?.number).toBe(shown.get("short")?.number);
  expect(shown.get("gone")).toMatchObject({ mode: 0o20000, device: 0, links: 2 });
  expect(shown.get("d/gone")?.number).toBe(shown.get("gone")?.number);
});

it("stores inodes in 32 bytes where they have the first one's time and small owners", () => {
  const shown = imageOf([
    file("a", "", { mtime: 77 }),
    file("b", "", { mtime: 78 }),
    file("c", "", { mtime: 77, uid: 65_536 }),
    file("d", "", { mtime: { seconds: 77, nanoseconds: 1 } }),
  ]);
  const compact = ["a", "b", "c", "d"].map((name) => shown.get(name)?.compact);
  expect(compact).toEqual([true, false, false, false]);
});

it("counts more hard links than 16 bits hold", () => {
  using image = new ImageOnDisk();
  image.unpack([file("f", "x")]);
  image.complete((upper) => {
    for (let index = 0; index < 66_000; index++) upper.link("f", `l${index}`);
  });
  expect(readImage(image.read()).get("l7")).toMatchObject({ links: 66_001, compact: false });
});

it("finds room for directories of any size, in the order of their names' bytes", () => {
  const names = [...Array(3000).keys()].map((index) => `d/${(index * 7919) % 3000}`);
  const odd = ["-", "!", "+x", "...", "..a", ".-", "~", "A", "a", "\x80"].map(
    (name) => `o/${name}`,
  );
  const raw = [...names, ...odd].map((path) => {
    const change = file(path);
    return { ...change, entry: { ...change.entry, path: path as ByteString } };
  });
  const shown = imageOf([...raw, dir("empty"), file(`${"deep/".repeat(400)}f`, "1")]);
  for (const path of [...names, ...odd]) expect(shown.has(path)).toBe(true);
  expect(shown.get(`${"deep/".repeat(400)}f`)?.content.toString()).toBe("1");
});

it("leaves out holes of a whole block, and only those", () => {
  const text = "x".repeat(100);
  const shown = imageOf([
    sparse("inside", 1_000_000, [
      [5000, text],
      [500_000, text],
    ]),
    sparse("all", 9_000_000, []),
    sparse("end", 20_000, [[0, text]]),
    sparse("start", 20_001, [[19_901, text]]),
    sparse("small", 3000, [[2000, text]]),
    file("after", "1"),
  ]);
  const holes = (name: string) => shown.get(name)?.holes;
  expect(["inside", "all", "end", "start", "small"].map(holes)).toEqual([243, 2198, 4, 4, 0]);
  for (const [name, size, pieces] of [
    ["inside", 1_000_000, [5000, 500_000]],
    ["all", 9_000_000, []],
    ["end", 20_000, [0]],
    ["start", 20_001, [19_901]],
    ["small", 3000, [2000]],
  ] as const) {
    const content = Buffer.alloc(size);
    for (const at of pieces) content.write(text, at);
    expect(shown.get(name)?.content.equals(content)).toBe(true);
  }
});

it("keeps the pieces of sparse files wherever they are", () => {
  const sizes = fc.constantFrom(8192, 100_000, 300_000, 70_000_000);
  const offsets = fc.array(fc.nat(1000), { maxLength: 8 });
  fc.assert(
    fc.property(sizes, offsets, fc.integer({ min: 513, max: 9000 }), (size, parts, piece) => {
      const starts = [...new Set(parts)].toSorted((a, b) => a - b);
      const pieces = starts.map((part) => [Math.floor((part / 1001) * size), "data!"] as const);
      const apart = pieces.filter(([at], index) => at >= (pieces[index - 1]?.[0] ?? -5) + 5);
      const change = sparse("f", size, apart);
      expect(imageOf([change], piece).get("f")?.content.equals(change.content)).toBe(true);
    }),
    { numRuns: 25 },
  );
});

it("leaves out what can't be set, and reads the mode from an access list", () => {
  const list = Buffer.from(
    "02000000010006000000000002000600010000000400040000000000100004000000000020000000ffffffff".replaceAll(
      " ",
      "",
    ),
    "hex",
  );
  const shown = imageOf([
    file("f", "", { xattrs: { "system.posix_acl_access": list.toString("latin1") } }),
    symlink("s", "f", { xattrs: { "user.no": "1", "trusted.yes": "2" } }),
    fifo("p", { xattrs: { "user.no": "1", "unknown.no": "2" } }),
    dir("d", { xattrs: { "trusted.overlay.opaque": "y", "user.overlay.x": "", "user.d": "1" } }),
  ]);
  expect(Object.keys(shown.get("f")?.xattrs ?? {})).toEqual(["system.posix_acl_access"]);
  expect(shown.get("f")?.mode).toBe(0o100640);
  expect(shown.get("s")?.xattrs).toEqual({ "trusted.yes": "2" });
  expect(shown.get("p")?.xattrs).toEqual({});
  expect(shown.get("d")?.xattrs).toEqual({ "user.d": "1" });
});

it("refuses what an image can't hold, and names it", () => {
  const user = (length: number) => ({ xattrs: { "user.a": "x".repeat(length) } });
  expect(() => imageOf([file("named", "", user(65_536))])).toThrow(/'named'.*E2BIG/);
  expect(() => imageOf([dir("./", user(3000))])).toThrow(/the root has 3\d{3} bytes of extended/);
  expect(() => imageOf([file("n".repeat(256))])).toThrow(/ENAMETOOLONG/);
  const deepest = `${"d/".repeat(2047)}f`;
  expect(
    imageOf([file(deepest, "1")])
      .get(deepest)
      ?.content.toString(),
  ).toBe("1");
});

it("is no image before it is complete, and read-only then", () => {
  using image = new ImageOnDisk();
  image.unpack([file("f", "x"), opaque("")]);
  expect(image.read().subarray(0, 4096).equals(Buffer.alloc(4096))).toBe(true);
  const { bytes, inodes } = image.complete();
  expect([bytes, inodes]).toEqual([image.read().length, 2]);
  expect(readImage(image.read()).has("f")).toBe(true);
  expect(statSync(image.path).mode & 0o777).toBe(0o400);
  expect(existsSync(image.tree)).toBe(false);
});

it("gives the same image for the same layer", () => {
  const changes = [file("d/f", "x".repeat(9000)), dir("e"), symlink("s", "d"), remove("gone")];
  const images = [1, 2].map(() => {
    using image = new ImageOnDisk();
    image.unpack(changes);
    image.complete();
    return image.read();
  });
  expect(images[0]?.equals(images[1] ?? Buffer.alloc(0))).toBe(true);
});

it("can be changed until it is complete", () => {
  using image = new ImageOnDisk();
  const xattrs = { "user.kept": "1" };
  image.unpack([
    file("d/f", "y".repeat(6000), { uid: 9, xattrs }),
    link("d/h", "d/f"),
    symlink("s", "d"),
    file("x/old", "1"),
  ]);
  image.complete((upper) => {
    expect(upper.look("d/f")).toMatchObject({ uid: 9n, size: 6000n, nlink: 2n });
    expect(upper.look("d/f/below")).toBeUndefined();
    expect(upper.linkTarget("s")).toBe("d");
    expect(upper.list("d")).toEqual(["f", "h"]);
    upper.setXattr("d/f", "trusted.new" as ByteString, Buffer.from("2"));
    upper.setXattr("d", "trusted.overlay.opaque" as ByteString, Buffer.from("y"));
    expect(errorOf(() => upper.setXattr("s", "user.x" as ByteString, Buffer.from("")))).toBe(
      "EPERM",
    );
    upper.makeDirectory("new");
    upper.rename("x/old", "new/name");
    expect(upper.removeDirectory("new")).toBe(false);
    expect(upper.removeDirectory("x")).toBe(true);
    upper.makeWhiteout("x");
    upper.copyMetadata("d/f", "new");
    const paths = ["null", "new/null"] as ByteString[];
    const owner = { mode: 0o666, uid: 1, gid: 2, seconds: 3, nanoseconds: 4 };
    upper.makeDevice({ paths, type: "char", major: 1, minor: 259, ...owner });
  });
  const shown = readImage(image.read());
  expect(shown.get("d/h")?.xattrs).toEqual({ "user.kept": "1", "trusted.new": "2" });
  expect(shown.get("d/h")?.content.toString()).toBe("y".repeat(6000));
  expect(shown.get("d/f")?.number).toBe(shown.get("d/h")?.number);
  expect(shown.get("d")?.xattrs).toEqual({ "trusted.overlay.opaque": "y" });
  expect(shown.get("new")).toMatchObject({ uid: 9, mode: 0o40644 });
  expect(shown.get("new/name")?.content.toString()).toBe("1");
  expect(shown.get("x")).toMatchObject({ mode: 0o20000, device: 0 });
  expect(shown.get("new/null")).toMatchObject({ mode: 0o20666, device: 0x100103, links: 2 });
});

it("takes things of its parent's tree", () => {
  using image = new ImageOnDisk();
  using parent = new ImageOnDisk();
  const content = Buffer.concat([noise(5000), Buffer.alloc(1 << 20), noise(10)]);
  writeFileSync(join(parent.directory, "big"), content);
  symlinkSync("there", join(parent.directory, "link"));
  image.unpack([]);
  image.complete((upper) => {
    const below = new TreeRoot(parent.directory);
    for (const name of ["big", "link"]) {
      const stat = below.look(name);
      if (stat !== undefined) upper.take(below, name, stat, name);
    }
  });
  const shown = readImage(image.read());
  expect(shown.get("big")?.content.equals(content)).toBe(true);
  expect(shown.get("big")?.holes).toBeGreaterThan(100);
  expect(shown.get("link")?.content.toString()).toBe("there");
});

it("refuses a symlink where an unpack process should have left its files", () => {
  for (const name of ["layer.erofs", "layer.tree"]) {
    using image = new ImageOnDisk();
    image.unpack([file("f")]);
    writeFileSync(join(image.directory, "elsewhere"), readFileSync(join(image.directory, name)));
    rmSync(join(image.directory, name));
    symlinkSync("elsewhere", join(image.directory, name));
    expect(errorOf(() => openErofsLayer(image.directory))).toBe("ELOOP");
  }
});

it("survives any change of the tree that an unpack process left", () => {
  using image = new ImageOnDisk();
  image.unpack([
    dir("d", { xattrs: { "user.a": "b" } }),
    file("d/f", "x".repeat(5000), { xattrs: { "user.a": "b" } }),
    link("d/g", "d/f"),
    symlink("s", "d"),
  ]);
  const [tree, begun] = [readFileSync(image.tree), image.read()];
  const change = fc.tuple(fc.nat(tree.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 3 }), fc.nat(tree.length), (changes, length) => {
      const damaged = Buffer.from(tree);
      for (const [at, value] of changes) damaged[at] = value;
      rmSync(image.path);
      writeFileSync(image.path, begun);
      writeFileSync(image.tree, damaged.subarray(0, changes.length === 0 ? length : tree.length));
      try {
        image.complete((upper) => {
          for (const name of upper.list("")) upper.look(name);
        });
      } catch (error) {
        if (!(error instanceof TsimgError)) throw error;
      }
    }),
    { numRuns: 400 },
  );
});

function errorOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return errorCode(error);
  }
  return "none";
}
