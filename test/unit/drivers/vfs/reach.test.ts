import { mkdirSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { childPath, reach } from "../../../../drivers/vfs/reach.ts";
import { temporaryDirectory } from "../../../system/support/temporary.ts";

it("a directory is reached at any depth, and no file descriptor stays open", () => {
  using scratch = temporaryDirectory();
  const before = process.cwd();
  const open = () => readdirSync("/proc/self/fd").length;
  const opened = open();
  try {
    process.chdir(scratch.path);
    let path: Buffer = Buffer.from(scratch.path);
    for (let level = 0; level < 70; level++) {
      const name = `${level}-`.padEnd(61 + (level % 7) * 20, "n");
      mkdirSync(name);
      writeFileSync(join(name, `file-${level}`), "");
      process.chdir(name);
      path = childPath(path, Buffer.from(name));
      using reached = reach(path);
      expect(reached.path.length).toBeLessThan(4096 - 255);
      expect(readdirSync(reached.path)).toEqual([`file-${level}`]);
    }
    expect(path.length).toBeGreaterThan(2 * 3800);
    expect(() => reach(childPath(path, Buffer.from("nothing")))).toThrow(/ENOENT/);
  } finally {
    process.chdir(before);
  }
  expect(open()).toBe(opened);
  expect(readlinkSync("/proc/self/cwd")).toBe(before);
});
