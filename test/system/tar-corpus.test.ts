import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { displayName, toByteString } from "../../src/layer/tar/byte-string.ts";
import type { TarEntry, TarHandler } from "../../src/layer/tar/entry.ts";
import { TarParser } from "../../src/layer/tar/parser.ts";
import { TAR_END, tarHeader, tarPadding } from "../../src/layer/tar/writer.ts";

const FIXTURES = join(import.meta.dirname, "../../fixtures/tar");
const BLOCK = 4096;
const SECOND = 10n ** 9n;
const MICROSECOND = 1000n;

/** What make-tree.py prints of one path. */
interface Truth {
  readonly path: string;
  readonly type: TarEntry["type"];
  readonly link: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: string;
  readonly device: readonly [major: number, minor: number];
  readonly inode: number;
  readonly xattrs: Readonly<Record<string, string>>;
  readonly content: readonly (readonly [offset: number, sha256: string])[];
}

/** What a format, or a program that writes it, can't hold. */
interface Archive {
  readonly name: string;
  readonly program: string;
  /** The command that writes `archive` from the tree it is run in. */
  readonly command: (archive: string, leftOut: readonly string[]) => readonly string[];
  /** Top-level directories of the tree that it can't write. `huge` is for sparse formats. */
  readonly leftOut: readonly string[];
  /** What it can say of them; without "xattrs" there must be none. */
  readonly holds: readonly ("nanoseconds" | "microseconds" | "xattrs")[];
  readonly sparse?: boolean;
}

function gnuTar(format: string, leftOut: readonly string[], ...options: string[]): Archive {
  const sparse = options.includes("-S");
  const pax = format === "pax";
  return {
    name: ["GNU tar", format, ...options].join(" "),
    program: "tar",
    command: (archive, names) => [
      ...["tar", `--format=${format}`, "--numeric-owner", ...options],
      ...(pax ? ["--xattrs", "--xattrs-include=*"] : []),
      ...[...names.map((name) => `--exclude=./${name}`), "-cf", archive, "."],
    ],
    leftOut: sparse ? leftOut : [...leftOut, "huge"],
    holds: pax ? ["nanoseconds", "xattrs"] : [],
    sparse,
  };
}

function bsdTar(format: string, leftOut: readonly string[], sparse = false): Archive {
  const pax = format === "pax";
  return {
    name: `bsdtar ${format}`,
    program: "bsdtar",
    command: (archive, names) => [
      ...["bsdtar", `--format=${format}`, "--numeric-owner", "--no-mac-metadata"],
      ...(pax ? ["--xattrs", "--no-acls", "--no-fflags"] : []),
      ...[...names.map((name) => `--exclude=./${name}`), "-cf", archive, "."],
    ],
    leftOut: sparse ? leftOut : [...leftOut, "huge"],
    holds: pax ? ["nanoseconds", "xattrs"] : [],
    sparse,
  };
}

function script(
  program: string,
  run: readonly string[],
  format: string,
  leftOut: readonly string[],
  holds: Archive["holds"] = [],
): Archive {
  return {
    name: `${program} ${format}`,
    program,
    command: (archive, names) => [...run, format, ".", archive, ...names],
    leftOut: [...leftOut, "huge"],
    holds,
  };
}

const PYTHON = ["python3", join(FIXTURES, "write-archive.py")];
const GO = ["go", "run", join(FIXTURES, "write-archive.go")];

/** What doesn't fit the fields of ustar. */
const USTAR = ["long", "owners", "times-after", "times-before", "times-before-fraction"];
const V7 = [...USTAR, "long-split", "nodes", "nodes-large"];

/**
 * Beyond the formats' own bounds: bsdtar has six digits for device numbers, bends times
 * to those of ustar in GNU's format, and in PAX writes -1.5 as -2.5 (and reads it so); Python
 * cuts -1.5 to -1 in GNU's format; Go can't write an xattr whose name has a `=`.
 */
const ARCHIVES: readonly Archive[] = [
  gnuTar("v7", V7),
  gnuTar("ustar", USTAR),
  gnuTar("oldgnu", []),
  gnuTar("oldgnu", [], "-S"),
  gnuTar("gnu", []),
  gnuTar("gnu", [], "-S"),
  gnuTar("pax", []),
  gnuTar("pax", [], "-S", "--sparse-version=0.0"),
  gnuTar("pax", [], "-S", "--sparse-version=0.1"),
  gnuTar("pax", [], "-S", "--sparse-version=1.0"),
  bsdTar("v7tar", V7),
  bsdTar("ustar", [...USTAR, "nodes-large"]),
  bsdTar("gnutar", ["nodes-large", "times-after", "times-before", "times-before-fraction"]),
  bsdTar("pax", ["times-before-fraction"], true),
  script("python3", PYTHON, "ustar", USTAR),
  script("python3", PYTHON, "gnu", ["times-before-fraction"]),
  script("python3", PYTHON, "pax", [], ["microseconds"]),
  script("go", GO, "ustar", [...USTAR, "names", "names-raw"]),
  script("go", GO, "gnu", []),
  script("go", GO, "pax", ["xattrs-equals"], ["nanoseconds", "xattrs"]),
];

const isRoot = process.getuid?.() === 0;
const work = mkdtempSync(join(tmpdir(), "tsimg-tar-corpus-"));
const tree = join(work, "tree");
let truths: Map<string, Truth>;

beforeAll(() => {
  if (!isRoot || !installed("python3")) return;
  mkdirSync(tree);
  const lines = execFileSync("python3", [join(FIXTURES, "make-tree.py"), tree], {
    maxBuffer: 1 << 26,
  });
  const all = lines.toString().trim().split("\n");
  truths = new Map(
    all.map((line) => JSON.parse(line) as Truth).map((truth) => [truth.path, truth]),
  );
});

afterAll(() => rmSync(work, { recursive: true, force: true }));

describe.skipIf(!isRoot)("what other programs wrote (needs root to make the tree)", () => {
  for (const archive of ARCHIVES) {
    const missing = [archive.program, "python3"].find((program) => !installed(program));
    const why = missing === undefined ? "" : ` (skipped: no ${missing} here)`;
    test.skipIf(missing !== undefined)(`${archive.name}${why}`, () => {
      const file = join(work, "archive.tar");
      write(archive, file);
      const { entries, contents, stored } = read(file);
      const expected = new Map(
        [...truths].filter(([path]) => !archive.leftOut.includes(topLevel(path))),
      );
      expect([...entries.keys()].sort()).toEqual([...expected.keys()].sort());
      for (const truth of expected.values()) compare(archive, truth, entries, contents);
      expect(stored < 64 << 20, "holes are not read as content").toBe(true);
      if (archive.sparse) expect(stored).toBeLessThan(2_000_000);
    });
  }
});

test.skipIf(!isRoot || !installed("tar"))(
  "GNU tar finds the tree in what the writer writes (needs root and tar)",
  () => {
    const theirs = join(work, "theirs.tar");
    const ours = join(work, "ours.tar");
    write(gnuTar("pax", []), theirs);
    rewrite(theirs, ours);
    const args = ["--compare", "--numeric-owner", "--xattrs", "--xattrs-include=*", "-f", ours];
    const run = spawnSync("tar", args, { cwd: tree, env: { ...process.env, LC_ALL: "C" } });
    expect([run.status, run.stdout.toString()]).toEqual([0, ""]);
  },
);

/** The entries of one archive, written anew. */
function rewrite(from: string, to: string): void {
  const parts: Buffer[] = [];
  const handler: TarHandler = {
    entry: (entry) => parts.push(tarHeader(entry)),
    data: (chunk) => parts.push(chunk),
    entryEnd: () => parts.push(tarPadding(parts.reduce((sum, part) => sum + part.length, 0))),
  };
  const parser = new TarParser(handler);
  parser.push(readFileSync(from));
  parser.end();
  writeFileSync(to, Buffer.concat([...parts, TAR_END]));
}

function write(archive: Archive, file: string): void {
  const [program = "", ...args] = archive.command(file, archive.leftOut);
  const env = { ...process.env, LC_ALL: "C.UTF-8", GO111MODULE: "off", GOFLAGS: "" };
  Object.assign(env, { GOPATH: join(work, "go"), GOCACHE: join(work, "go-cache") });
  const run = spawnSync(program, args, { cwd: tree, env });
  expect([run.status, run.stderr.toString()]).toEqual([0, expect.anything()]);
}

function installed(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

function topLevel(hexPath: string): string {
  return Buffer.from(hexPath, "hex").toString("latin1").split("/")[0] ?? "";
}

/** Entries by their path in hexadecimal, without `./` and trailing slash; the root left out. */
function read(file: string) {
  const entries = new Map<string, TarEntry>();
  const contents = new Map<string, SparseContent>();
  let current = new SparseContent();
  let stored = 0;
  const handler: TarHandler = {
    entry(entry) {
      const path = plainPath(entry.path);
      current = new SparseContent();
      if (path === "") return;
      expect(entries.has(path), `'${displayName(entry.path)}' twice`).toBe(false);
      entries.set(path, entry);
      contents.set(path, current);
    },
    data(chunk, position) {
      stored += chunk.length;
      current.add(chunk, position);
    },
    entryEnd() {},
  };
  const parser = new TarParser(handler);
  const fd = openSync(file, "r");
  const buffer = Buffer.alloc(70_001);
  for (let count = 1; count > 0; ) {
    count = readSync(fd, buffer);
    parser.push(buffer.subarray(0, count));
  }
  closeSync(fd);
  parser.end();
  return { entries, contents, stored };
}

/** In hexadecimal, as the tree's are. */
function plainPath(path: string): string {
  return Buffer.from(path.replace(/^\.(\/|$)/, "").replace(/\/$/, ""), "latin1").toString("hex");
}

/** A file as its blocks that aren't zeros, so that holes cost nothing. */
class SparseContent {
  readonly #blocks = new Map<number, Buffer>();

  add(chunk: Buffer, position: number): void {
    for (let at = 0; at < chunk.length; ) {
      const inBlock = (position + at) % BLOCK;
      const offset = position + at - inBlock;
      const block = this.#blocks.get(offset) ?? Buffer.alloc(BLOCK);
      this.#blocks.set(offset, block);
      at += chunk.copy(block, inBlock, at, Math.min(chunk.length, at + BLOCK - inBlock));
    }
  }

  describe(): [number, string][] {
    const zeros = Buffer.alloc(BLOCK);
    return [...this.#blocks]
      .filter(([, block]) => !block.equals(zeros))
      .sort(([a], [b]) => a - b)
      .map(([offset, block]) => [offset, createHash("sha256").update(block).digest("hex")]);
  }
}

function compare(
  archive: Archive,
  truth: Truth,
  entries: ReadonlyMap<string, TarEntry>,
  contents: ReadonlyMap<string, SparseContent>,
): void {
  const entry = entries.get(truth.path);
  const name = displayName(toByteString(Buffer.from(truth.path, "hex")));
  if (entry === undefined) throw new Error(`'${name}' is missing`);
  if (entry.type === "link") {
    const target = truths.get(plainPath(entry.linkPath));
    expect(target?.inode, `'${name}' is a hard link to another file`).toBe(truth.inode);
    return;
  }
  const isDevice = truth.type === "char" || truth.type === "block";
  const xattrs = [...entry.xattrs]
    .filter(([attribute]) => !attribute.startsWith("system."))
    .map(([attribute, value]) => [
      Buffer.from(attribute, "latin1").toString("hex"),
      value.toString("hex"),
    ]);
  const known = Object.entries(truth.xattrs);
  expect({
    ...{ name, type: entry.type, link: Buffer.from(entry.linkPath, "latin1").toString("hex") },
    ...{ mode: entry.mode, uid: entry.uid, gid: entry.gid, size: entry.size },
    mtime: timeAs(archive, BigInt(entry.mtime.seconds) * SECOND + BigInt(entry.mtime.nanoseconds)),
    device: [entry.devMajor, entry.devMinor],
    xattrs: Object.fromEntries(xattrs),
    content: contents.get(truth.path)?.describe(),
  }).toEqual({
    ...{ name, type: truth.type, link: truth.link },
    ...{ mode: truth.mode, uid: truth.uid, gid: truth.gid, size: truth.size },
    mtime: timeAs(archive, BigInt(truth.mtime)),
    device: isDevice ? truth.device : [0, 0],
    xattrs: Object.fromEntries(archive.holds.includes("xattrs") ? known : []),
    content: truth.content,
  });
}

/** What `archive` can say of a time: floored, or for Python's floating point rounded. */
function timeAs({ holds }: Archive, nanoseconds: bigint): bigint {
  if (holds.includes("nanoseconds")) return nanoseconds;
  if (holds.includes("microseconds")) return (nanoseconds + MICROSECOND / 2n) / MICROSECOND;
  return nanoseconds - (((nanoseconds % SECOND) + SECOND) % SECOND);
}
