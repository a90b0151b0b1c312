import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reason, Stage } from "./run-stage.ts";

describe.skipIf(reason)(`the launcher's program in memory ${reason ?? ""}`, () => {
  let stage: Stage;
  let link: string;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
    link = join(stage.env["TSIMG_ROOT"] ?? "", "cache", "launcher");
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const start = (name: string) =>
    stage.output("run", "-d", "--name", name, stage.tiny, "sleep", "1000");

  /** Of the launcher that attends a container. */
  async function program(name: string): Promise<{ pid: number; file: number }> {
    const { BundlePath } = await stage.inspect(name);
    const record = readFileSync(join(BundlePath, "started.json"), "utf8");
    const { launcher } = JSON.parse(record) as { launcher: number };
    expect(readlinkSync(`/proc/${launcher}/exe`)).toBe("/memfd:tsimg-launcher (deleted)");
    return { pid: launcher, file: statSync(`/proc/${launcher}/exe`).ino };
  }

  test("is one for all that run, as long as the first of them does", async () => {
    await start("first");
    await start("second");
    const [first, second] = [await program("first"), await program("second")];
    expect(second.file).toBe(first.file);
    expect(readlinkSync(link)).toBe(`/proc/${first.pid}/exe`);
    await stage.output("rm", "-f", "first");
    await start("third");
    const third = await program("third");
    expect(third.file).not.toBe(second.file);
    expect(readlinkSync(link)).toBe(`/proc/${third.pid}/exe`);
    await stage.output("rm", "-f", "second", "third");
  });

  test.each<[string, (path: string) => void]>([
    ["another program", (path) => symlinkSync(`/proc/${process.pid}/exe`, path)],
    ["an unsealed copy", (path) => copyFileSync(join("dist", "launcher"), path)],
    ["a pipe that nobody writes to", (path) => execFileSync("mkfifo", [path])],
    ["itself", (path) => symlinkSync(path, path)],
    ["a directory", (path) => symlinkSync("/tmp", path)],
    ["a file of no bytes", (path) => writeFileSync(path, "")],
  ])("is not taken from %s", async (_what, plant) => {
    rmSync(link, { force: true });
    plant(link);
    await start("wary");
    const { pid } = await program("wary");
    expect(readlinkSync(link)).toBe(`/proc/${pid}/exe`);
    await stage.output("rm", "-f", "wary");
  });
});
