import {
  chmodSync,
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { changedUsage } from "../../../../drivers/vfs/changed-usage.ts";
import { copyTree } from "../../../../drivers/vfs/copy-tree.ts";
import { reflinks } from "../../../../drivers/vfs/reflinks.ts";
import { makeNode, S_IFIFO, setModificationTime } from "../../../../src/sys/file-node.ts";
import { setXattr } from "../../../../src/sys/xattr.ts";
import { linesOnDisk } from "../../../conformance/tree-lines.ts";
import { temporaryDirectory } from "../../../system/support/temporary.ts";

const MEBIBYTE = 1 << 20;

/** A byte that ends no path component. */
const byte = fc.integer({ min: 1, max: 255 }).filter((code) => code !== 0x2f);
const name = fc
  .array(byte, { minLength: 1, maxLength: 12 })
  .map((bytes) => Buffer.from(bytes))
  .filter((bytes) => ![".", ".."].includes(bytes.toString("latin1")));
const meta = fc.record({
  mode: fc.constantFrom(0o755, 0o700, 0o4711, 0o2775, 0o1777, 0o600),
  time: fc.constantFrom(
    -1_500_000_000n,
    0n,
    1_700_000_000_123_456_789n,
    1_700_000_000_000_000_000n,
  ),
});
const file = fc.tuple(
  fc.constant("file" as const),
  fc.constantFrom("", "content", "x".repeat(5000), "y".repeat(200_000)),
  meta,
);
const symlink = fc.tuple(fc.constant("symlink" as const), name, meta);
const fifo = fc.tuple(fc.constant("fifo" as const), fc.constant(""), meta);
const link = fc.tuple(fc.constant("link" as const), fc.constant(""), meta);
const tree = fc.letrec((tie) => ({
  directory: fc.tuple(
    fc.constant("directory" as const),
    fc.array(fc.tuple(name, tie("node")), { maxLength: 5 }),
    meta,
  ),
  node: fc.oneof({ depthSize: "small" }, file, symlink, fifo, link, tie("directory")),
})).directory;

it("a copy is equal in all that a tree shows, and nothing in it counts as changed", () => {
  fc.assert(
    fc.property(tree, fc.boolean(), (plan, clone) => {
      using scratch = temporaryDirectory();
      const [source, target] = [join(scratch.path, "source"), join(scratch.path, "target")];
      plant(plan, source);
      copyTree(source, target, { clone });
      expect([...linesOnDisk(target)]).toEqual([...linesOnDisk(source)]);
      expect(changedUsage(target, source)).toEqual({ bytes: 0, inodes: 0 });
    }),
    { numRuns: 30 },
  );
});

it("holes stay holes, wherever they are", () => {
  using scratch = temporaryDirectory();
  const [source, target] = [join(scratch.path, "source"), join(scratch.path, "target")];
  mkdirSync(source);
  const wanted = [
    [],
    [[0, 9]],
    [[MEBIBYTE, 9]],
    [
      [0, 70_000],
      [3 * MEBIBYTE + 17, 4096],
    ],
  ];
  for (const [index, pieces] of wanted.entries()) {
    const fd = openSync(join(source, `${index}`), "w");
    ftruncateSync(fd, 5 * MEBIBYTE + 3);
    for (const [at = 0, length = 0] of pieces)
      writeSync(fd, Buffer.alloc(length, "d"), 0, length, at);
    closeSync(fd);
  }
  copyTree(source, target, { clone: false });
  for (const entry of readdirSync(source)) {
    const [before, after] = [lstatSync(join(source, entry)), lstatSync(join(target, entry))];
    expect(after.blocks).toBe(before.blocks);
    expect(after.blocks * 512).toBeLessThan(MEBIBYTE);
    expect(readFileSync(join(target, entry)).equals(readFileSync(join(source, entry)))).toBe(true);
  }
});

it("trees deeper than a path can be long are copied and counted", () => {
  using scratch = temporaryDirectory();
  const before = process.cwd();
  const part = "d".repeat(200);
  const levels = 30;
  process.chdir(scratch.path);
  try {
    mkdirSync("source");
    process.chdir("source");
    for (let level = 0; level < levels; level++) {
      mkdirSync(part);
      process.chdir(part);
      writeFileSync("file", `${level}`);
    }
    linkSync("file", "linked");
    process.chdir(scratch.path);
    const [source, target] = [join(scratch.path, "source"), join(scratch.path, "target")];
    copyTree(source, target, { clone: false });
    expect(changedUsage(target, source)).toEqual({ bytes: 0, inodes: 0 });
    expect(changedUsage(target, undefined).inodes).toBe(1 + 2 * levels);
    process.chdir(target);
    for (let level = 0; level < levels; level++) {
      process.chdir(part);
      expect(readFileSync("file", "utf8")).toBe(`${level}`);
    }
    expect(lstatSync("linked").ino).toBe(lstatSync("file").ino);
  } finally {
    process.chdir(before);
  }
});

it("a socket is copied, and nothing is copied over what is there", async () => {
  using scratch = temporaryDirectory();
  const [source, target] = [join(scratch.path, "source"), join(scratch.path, "target")];
  mkdirSync(source);
  writeFileSync(join(source, "file"), "");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(source, "socket"), resolve));
  try {
    copyTree(source, target, { clone: false });
    expect(lstatSync(join(target, "socket")).isSocket()).toBe(true);
    expect([...linesOnDisk(target)]).toEqual([...linesOnDisk(source)]);
    expect(() => copyTree(source, target, { clone: false })).toThrow(/EEXIST/);
  } finally {
    server.close();
  }
});

it("what is changed in a copy counts whole, and nothing else", () => {
  using scratch = temporaryDirectory();
  const [source, target] = [join(scratch.path, "source"), join(scratch.path, "target")];
  mkdirSync(join(source, "d"), { recursive: true });
  for (const entry of ["a", "b", "d/c"]) writeFileSync(join(source, entry), "x".repeat(8192));
  lutimesSync(source, 1, 1);
  copyTree(source, target, { clone: false });
  chmodSync(join(target, "a"), 0o600);
  mkdirSync(join(target, "new"));
  writeFileSync(join(target, "new/file"), "y".repeat(4096));
  linkSync(join(target, "new/file"), join(target, "new/again"));
  const { bytes, inodes } = changedUsage(target, source);
  // The root, "a", "new" and its file.
  expect(inodes).toBe(4);
  expect(bytes).toBeGreaterThanOrEqual(8192 + 4096);
  expect(bytes).toBeLessThan(8192 + 4096 + 3 * 4096 + 1);
});

it("whether files can share data is told of a directory that is not there yet, too", () => {
  using scratch = temporaryDirectory();
  expect(reflinks(join(scratch.path, "not/yet"))).toBe(reflinks(scratch.path));
  expect(readdirSync(scratch.path)).toEqual([]);
});

type Meta = Readonly<{ mode: number; time: bigint }>;
type Plan = readonly [kind: string, content: unknown, meta: Meta];

/** Makes the tree of a plan at `root`. */
function plant(plan: unknown, root: string): void {
  let linkable: Buffer | undefined;
  const make = (path: Buffer, [kind, content, { mode, time }]: Plan): void => {
    if (existsSync(path)) return;
    if (kind === "directory") {
      mkdirSync(path);
      for (const [child, node] of content as [Buffer, Plan][])
        make(Buffer.concat([path, Buffer.from("/"), child]), node);
    } else if (kind === "symlink") symlinkSync(content as Buffer, path);
    else if (kind === "fifo") makeNode(path, S_IFIFO | mode, 0);
    else if (kind === "link" && linkable !== undefined) linkSync(linkable, path);
    else {
      writeFileSync(path, kind === "file" ? (content as string) : "");
      setXattr(path, "user.tsimg", Buffer.from([0, 255, mode & 0xff]));
      linkable = path;
    }
    if (kind !== "symlink") chmodSync(path, mode);
    lutimesSync(path, 1, 1);
    setModificationTime(path, time);
  };
  make(Buffer.from(root), plan as Plan);
}
