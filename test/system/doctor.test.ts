import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { outcomeOf } from "../../fixtures/command.ts";
import { App } from "../../src/app.ts";
import type { Report } from "../../src/storage/doctor/examine.ts";
import { missing } from "../peers/requirements.ts";
import { lastingTraces } from "./support/leftovers.ts";
import { type TemporaryDirectory, temporaryDirectory } from "./support/temporary.ts";
import { Tsimg } from "./support/tsimg.ts";

const absent = missing(["mkfs.btrfs", "mkfs.xfs", "setpriv"]);

describe.skipIf(absent !== undefined)(`doctor ${absent ?? ""}`, () => {
  let directory: TemporaryDirectory;
  let tsimg: Tsimg;
  beforeEach(() => {
    directory = temporaryDirectory();
    tsimg = new Tsimg(join(directory.path, "store"));
  });
  afterEach(async () => {
    using gone = directory;
    expect(await lastingTraces(gone.path)).toEqual([]);
  });

  async function report(environment: NodeJS.ProcessEnv = {}): Promise<Report> {
    const argv = tsimg.argv(["doctor", "--format", "json"]);
    const { stdout } = await outcomeOf(argv, { env: { ...process.env, ...environment } });
    return JSON.parse(stdout.toString()) as Report;
  }

  const find = ({ findings }: Report, name: string) => findings.find((each) => each.name === name);

  it("says of every driver whether it works, and leaves nothing of its trials", async () => {
    const whole = await report();
    expect(whole).toMatchObject({ driver: "overlay2", works: true });
    const drivers = whole.findings.filter(({ area }) => area === "driver");
    for (const name of ["overlay2", "erofs", "vfs"])
      expect(find(whole, name)).toMatchObject({ state: "ok" });
    for (const { state, cure } of drivers) if (state === "missing") expect(cure).toBeTruthy();
    for (const name of ["lowerdir+", "userxattr", "metacopy", "redirect_dir", "index"])
      expect(find(whole, name)).toMatchObject({ area: "kernel", detail: expect.any(String) });
    expect(find(whole, "root")?.detail).toMatch(/of [\d.]+ GB free, \d+ of \d+ inodes/);
    const text = await tsimg.output("doctor");
    expect(text).toMatch(
      /^Drivers\n {2}ok .*\n(.*\n)*\nKernel\n(.*\n)*\nSpace\n(.*\n)*\nLeftovers\n {2}none\n/,
    );
    expect(text).toMatch(/\noverlay2 is used, and works\n$/);
    using app = new App({ root: tsimg.root });
    expect(app.database.all("select * from snapshots")).toEqual([]);
    for (const name of ["erofs", "vfs", "cache"])
      expect(readdirSync(join(tsimg.root, name))).toEqual([]);
  });

  it("tries the drivers on pools where they lie, after attaching them", async () => {
    await tsimg.output("pool", "create", "fast", "--driver", "btrfs", "--size", "256M");
    await tsimg.output("pool", "create", "copies", "--driver", "xfs", "--size", "320M");
    await outcomeOf(["umount", join(tsimg.root, "pools/fast")]);
    const whole = await report({ TSIMG_DRIVER: "btrfs" });
    expect(whole).toMatchObject({ driver: "btrfs:fast", works: true });
    expect(find(whole, "btrfs:fast")).toMatchObject({ state: "ok" });
    expect(find(whole, "vfs:copies")).toMatchObject({ state: "ok" });
    expect(find(whole, "pool fast")?.detail).toContain("GB free");
    await tsimg.output("pool", "rm", "-f", "fast", "copies");
  });

  it("ends with 1 when the chosen driver can't work, and says the cure", async () => {
    for (const name of ["btrfs", "reflink", "nonsense"]) {
      const argv = tsimg.argv(["doctor"]);
      const env = { ...process.env, TSIMG_DRIVER: name };
      const { status, stdout } = await outcomeOf(argv, { env });
      // On a root with reflinks two of them do work.
      if (status === 0) continue;
      expect(status).toBe(1);
      expect(stdout.toString()).toMatch(/missing +choice .*\n +cure: /);
      expect(stdout.toString()).toMatch(/the driver to use does not work\n$/);
    }
  });

  it("names what crashes left, and touches none of it", async () => {
    await tsimg.output("images");
    const id = (digit: string) => digit.repeat(64);
    const left = [`overlay2/${id("a")}/diff`, `run/${id("b")}`, `containers/${id("c")}`, "strange"];
    for (const path of left) mkdirSync(join(tsimg.root, path), { recursive: true });
    {
      using app = new App({ root: tsimg.root });
      const insert = (row: string, state: string, owner: string | null) =>
        app.database.run(
          `insert into snapshots (id, driver, kind, state, owner, created)
           values (?, 'overlay2', 'active', ?, ?, '')`,
          row,
          state,
          owner,
        );
      insert(id("d"), "creating", "1:0:gone");
      insert(id("e"), "ready", null);
      app.database.run(
        `insert into pools (name, driver, file, size, state, owner, created, options)
         values ('half', 'btrfs', ?, 1, 'creating', '1:0:gone', '', '{"hostName":"x"}')`,
        join(tsimg.root, "pools/half.img"),
      );
    }
    const whole = await report();
    const lines = whole.findings
      .filter(({ area }) => area === "leftover")
      .map(({ name, detail }) => `${name}: ${detail}`.replaceAll(tsimg.root, ""));
    expect(lines.sort()).toEqual([
      `/containers/${id("c")}: of a container that is gone`,
      `/run/${id("b")}: of a container that is gone`,
      "/strange: is nothing of tsimg's",
      "overlay2: 1 snapshots are gone from /overlay2",
      "overlay2: 1 snapshots that no row names",
      "pool half: creating, by a process that is gone",
      `snapshot ${id("d").slice(0, 12)}: creating in overlay2, by a process that is gone`,
    ]);
    for (const path of left) expect(existsSync(join(tsimg.root, path))).toBe(true);
    await tsimg.output("pool", "ls");
    expect(find(await report(), "pool half")).toBeUndefined();
  });

  it("needs root", async () => {
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const { status, stderr } = await outcomeOf([...nobody, ...tsimg.argv(["doctor"])]);
    expect(status).toBe(125);
    expect(stderr).toMatch(/needs root\nhint: .*sudo/);
    expect(readFileSync("/proc/mounts", "utf8")).not.toContain(directory.path);
  });
});
