import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { release } from "node:os";
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

  test("can't be made a file that nobody may execute", async () => {
    await start("first");
    const { pid } = await program("first");
    const [major = 0, minor = 0] = release().split(".").map(Number);
    // Linux 6.3 has the seal.
    if (major > 6 || (major === 6 && minor >= 3))
      expect(() => chmodSync(`/proc/${pid}/exe`, 0)).toThrow("EPERM");
    await stage.output("rm", "-f", "first");
  });

  test.each([
    ["that may not be executed any more", "os.fchmod(fd, 0)"],
    ["of an ordinary user's", "os.fchown(fd, 65534, 65534)"],
  ])("is not taken from a sealed copy %s", async (_what, spoil) => {
    const script = `import fcntl, os, sys, time
fd = os.memfd_create("other", os.MFD_ALLOW_SEALING)
os.write(fd, open("dist/launcher", "rb").read())
fcntl.fcntl(fd, 1033, 15)
${spoil}
print(fd, flush=True)
time.sleep(1000)`;
    const holder = spawn("python3", ["-c", script], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      const [fd] = (await once(holder.stdout, "data")) as [Buffer];
      rmSync(link, { force: true });
      symlinkSync(`/proc/${holder.pid}/fd/${fd.toString().trim()}`, link);
      await start("wary");
      const { pid } = await program("wary");
      expect(readlinkSync(link)).toBe(`/proc/${pid}/exe`);
      await stage.output("rm", "-f", "wary");
    } finally {
      holder.kill("SIGKILL");
    }
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
