import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outcomeOf, outputOf } from "../../fixtures/command.ts";
import { absent, LayeredStage } from "./support/layered-stage.ts";

describe.skipIf(absent !== undefined)(`mount and umount ${absent ?? ""}`, () => {
  let stage: LayeredStage;
  /** A directory to mount on. */
  let place: string;
  beforeAll(async () => {
    stage = await LayeredStage.open();
    place = join(stage.tsimg.root, "a place");
    mkdirSync(place);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const listed = () => stage.tsimg.output("mount", "--format", "{{.Layer}} {{.Directory}}");
  const mount = (...args: string[]) =>
    stage.tsimg.output("mount", ...args).then((text) => text.trimEnd());

  async function fails(args: string[], words: RegExp): Promise<void> {
    const { status, stdout, stderr } = await stage.tsimg.run(...args);
    expect(stderr).toMatch(words);
    expect({ failed: status !== 0, stdout: stdout.toString() }).toEqual({
      failed: true,
      stdout: "",
    });
  }

  it("shows an image read-only, without devices and set-user-ID programs", async () => {
    const directory = await mount(stage.app);
    expect(directory).toMatch(/\/mounts\/[0-9a-f]{12}$/);
    expect(readdirSync(join(directory, "data"))).toEqual(["new"]);
    expect(readFileSync(join(directory, "usr/lib/tool"), "utf8")).toBe("second");
    expect(() => writeFileSync(join(directory, "x"), "")).toThrow(/EROFS/);
    const options = await outputOf(["findmnt", "-n", "-o", "OPTIONS", directory]);
    expect(options.trimEnd().split(",")).toEqual(expect.arrayContaining(["ro", "nosuid", "nodev"]));
    // Again is no error, and no second mount.
    expect(await mount(stage.app)).toBe(directory);
    expect(await listed()).toBe(`4 ${directory}\n`);
    expect(await stage.tsimg.output("mount")).toMatch(
      /^IMAGE +LAYER +DRIVER +DIRECTORY\n127.*\/app:latest +4 +overlay2 +\/.*\n$/,
    );
    expect(await stage.tsimg.output("umount", stage.app)).toBe(`${directory}\n`);
    expect(existsSync(directory)).toBe(false);
    expect(await listed()).toBe("");
  });

  it("shows an image as of any layer, also of one that is alone", async () => {
    const [base, second, third] = [
      await mount("--layer", "1", stage.app),
      await mount("--layer", "2", stage.app, place),
      await mount("--driver", "overlay2", "--layer=3", stage.app),
    ];
    expect([second, third]).toEqual([place, expect.stringMatching(/-3-overlay2$/)]);
    expect(() => writeFileSync(join(base, "x"), "")).toThrow(/EROFS/);
    expect(existsSync(join(base, "usr"))).toBe(false);
    expect(readFileSync(join(second, "usr/lib/tool"), "utf8")).toBe("first");
    expect(readdirSync(join(third, "data"))).toEqual(["kept"]);
    expect(await stage.tsimg.output("umount", "--all")).toBe(
      [base, second, third]
        .sort((a, b) => (a < b ? -1 : 1))
        .join("\n")
        .concat("\n"),
    );
  });

  it("refuses what can't be", async () => {
    await fails(["mount", "--layer", "5", stage.app], /has no layer 5\nhint: .*1.*to 4/);
    await fails(["mount", "--layer", "0", stage.app], /number from 1/);
    await fails(["mount", "--layer", "1"], /are about an image/);
    await fails(["mount", stage.app, "/no/such/place"], /is not a directory/);
    await fails(["mount", "--driver", "zfs", stage.app], /is unpacked not in driver 'zfs'/);
    await fails(["mount", stage.app, "/proc"], /something is mounted on '\/proc' already/);
    await fails(["umount", place], /no image is mounted/);
    await fails(["umount"], /or say --all/);
    await mount(stage.base, place);
    await fails(["mount", stage.app, place], /something is mounted/);
    await stage.tsimg.output("umount", place);
  });

  it("an image that is mounted stays; forced, its names go and its layers stay until then", async () => {
    await mount("--layer", "2", stage.app, place);
    await fails(["rmi", stage.app], /is mounted on '.*a place'\nhint: .*tsimg umount/);
    await fails(["rmi", "--driver", "overlay2", stage.app], /is mounted on/);
    await stage.tsimg.output("rmi", "-f", stage.app);
    expect(readFileSync(join(place, "usr/lib/tool"), "utf8")).toBe("first");
    const rest = async () => Number(await stage.tsimg.output("info", "-f", "{{.Snapshots}}"));
    expect(await rest()).toBe(2);
    expect(await stage.tsimg.output("umount", place)).toBe(`${place}\n`);
    expect(await rest()).toBe(1);
    await stage.pull();
  });

  it("a mount in use stays", async () => {
    await mount(stage.app, place);
    const busy = await outcomeOf([
      ...["sh", "-c", 'cd "$1" && shift && "$@"', "sh", place],
      ...stage.tsimg.argv(["umount", place]),
    ]);
    expect(busy.stderr).toMatch(
      /a process uses what is mounted on '.*a place'\nhint: "fuser -vm '/,
    );
    expect(await listed()).toBe(`4 ${place}\n`);
    await stage.tsimg.output("umount", place);
  });

  it("what umount(8) or a reboot took off is forgotten by the next look", async () => {
    await mount(stage.app, place);
    await outputOf(["umount", place]);
    expect(await listed()).toBe("");
    await mount(stage.app, place);
    await outputOf(["umount", place]);
    await stage.tsimg.output("rmi", stage.app);
    expect(await stage.traces()).toEqual([]);
    await stage.pull();
  });

  it("several at once mount once", async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 4 }, () => stage.tsimg.run("mount", stage.app, place)),
    );
    expect(outcomes.some(({ status }) => status === 0)).toBe(true);
    for (const { status, stderr } of outcomes)
      if (status !== 0) expect(stderr).toContain("something is mounted");
    expect(await listed()).toBe(`4 ${place}\n`);
    await stage.tsimg.output("umount", place);
    expect(await stage.traces()).toEqual([]);
  });

  it("killed at any moment, what the list says is what is mounted", async () => {
    const isMounted = () => readFileSync("/proc/self/mountinfo", "utf8").includes("a\\040place");
    for (const args of [
      ["mount", stage.app, place],
      ["umount", "--all"],
    ].flatMap((each) => Array.from({ length: 6 }, () => each))) {
      if (args[0] === "umount") await mount(stage.app, place);
      const child = stage.tsimg.start(...args);
      const ended = once(child, "close");
      await sleep(Math.random() * 120);
      child.kill("SIGKILL");
      await ended;
      expect(await listed()).toBe(isMounted() ? `4 ${place}\n` : "");
      if (args[0] === "mount") await stage.tsimg.output("umount", "--all");
    }
    await stage.tsimg.output("umount", "--all");
    expect(await stage.traces()).toEqual([]);
  });
});
