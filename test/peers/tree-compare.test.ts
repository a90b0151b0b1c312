import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { outputOf } from "../../fixtures/command.ts";
import { missing } from "./requirements.ts";
import { compareTrees } from "./tree-compare/compare-trees.ts";
import { readTree } from "./tree-compare/read-tree.ts";

const reason = missing(["getfattr", "setfattr"]);

describe.skipIf(reason)(`the comparison of two trees ${reason ?? ""}`, () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "tsimg-compare-"));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  function plant(name: string): string {
    const root = join(dir, name);
    mkdirSync(join(root, "dir"), { recursive: true });
    writeFileSync(join(root, "dir/file"), "text");
    writeFileSync(join(root, "dir/first"), "same");
    linkSync(join(root, "dir/first"), join(root, "second"));
    symlinkSync("dir/file", join(root, "link"));
    writeFileSync(Buffer.concat([Buffer.from(`${root}/name-`), Buffer.from([0xff])]), "");
    return root;
  }

  function setTimes(root: string): void {
    for (const path of ["dir/file", "dir/first", "link", "name-", "dir", "."]) {
      const end = path === "name-" ? Buffer.from([0xff]) : Buffer.alloc(0);
      lutimesSync(Buffer.concat([Buffer.from(`${root}/${path}`), end]), 1_000, 1_000);
    }
  }

  const CHANGES: Readonly<Record<string, (root: string) => unknown>> = {
    "dir/file: mode is": (root) => chmodSync(join(root, "dir/file"), 0o600),
    "dir/file: content is": (root) => writeFileSync(join(root, "dir/file"), "TEXT"),
    "dir/file: size is": (root) => writeFileSync(join(root, "dir/file"), "text."),
    "dir/file: xattrs is": (root) =>
      outputOf(["setfattr", "-n", "user.name", "-v", "0x00ff", join(root, "dir/file")]),
    "link: target is": (root) => {
      rmSync(join(root, "link"));
      symlinkSync("dir/firs", join(root, "link"));
    },
    "second: links is": (root) => {
      rmSync(join(root, "second"));
      writeFileSync(join(root, "second"), "same");
    },
    "dir/file: type is": (root) => {
      rmSync(join(root, "dir/file"));
      mkdirSync(join(root, "dir/file"));
    },
    "dir/first: missing (file)": (root) => rmSync(join(root, "dir/first")),
    "new: not expected (file)": (root) => writeFileSync(join(root, "new"), ""),
  };

  test("finds none between equal trees", async () => {
    const [a, b] = [plant("a"), plant("b")];
    setTimes(a);
    setTimes(b);
    expect(compareTrees(await readTree(a), await readTree(b))).toEqual([]);
  });

  test.each(Object.entries(CHANGES))("reports %s", async (line, change) => {
    const [a, b] = [plant("a"), plant("b")];
    await change(b);
    setTimes(a);
    if (line !== "dir/first: missing (file)") setTimes(b);
    const differences = compareTrees(await readTree(a), await readTree(b));
    expect(differences.some((difference) => difference.startsWith(line))).toBe(true);
  });

  test("reports a time that differs by a nanosecond", async () => {
    const [a, b] = [plant("a"), plant("b")];
    const touch = (root: string, time: string) =>
      outputOf(["touch", "-d", time, join(root, "dir")]);
    setTimes(a);
    setTimes(b);
    await touch(a, "2001-02-03 04:05:06.123456789Z");
    await touch(b, "2001-02-03 04:05:06.123456788Z");
    expect(compareTrees(await readTree(a), await readTree(b))).toEqual([
      'dir: mtime is "981173106123456788", expected "981173106123456789"',
    ]);
  });
});
