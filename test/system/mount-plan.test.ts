import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { planMounts } from "../../src/runtime/mounts/plan-mounts.ts";
import { localMount } from "../../src/runtime/volume/local-options.ts";
import { Box, buildLauncher, canLaunch, whyNot } from "./launcher-box.ts";

describe.skipIf(!canLaunch)(`planned mounts, launched ${canLaunch ? "" : whyNot}`, () => {
  let built: ReturnType<typeof buildLauncher>;
  beforeAll(() => {
    built = buildLauncher();
  });
  afterAll(() => built[Symbol.dispose]());

  const mounts = (box: Box, ...mount: string[]) =>
    planMounts({
      flags: { volume: [], mount, tmpfs: [], volumesFrom: [] },
      imageVolumes: [],
      pointsOf: () => [],
      volumeMount: (_, options) => localMount(options),
      volumesDirectory: box.path("volumes"),
      workingDirectory: box.directory,
      newName: () => "unnamed",
    }).mounts;

  test("links that containers put into a volume lead no subpath out of it", () => {
    using box = new Box(built.directory);
    const data = box.path("volumes/v/_data");
    mkdirSync(`${data}/real/deep`, { recursive: true });
    writeFileSync(`${data}/real/deep/f`, "inside");
    mkdirSync(box.path("outside"));
    writeFileSync(box.path("outside/f"), "outside");
    symlinkSync("real/deep", `${data}/relative`);
    symlinkSync("/real/deep", `${data}/absolute`);
    symlinkSync(box.path("outside"), `${data}/out`);
    symlinkSync("../../../outside", `${data}/up`);
    const shown = (subpath: string) =>
      box.sh("cat /v/f", { mounts: mounts(box, `src=v,dst=/v,volume-subpath=${subpath}`) });
    for (const subpath of ["real/deep", "relative", "absolute"])
      expect(shown(subpath)).toMatchObject({ status: 0, stdout: "inside" });
    for (const subpath of ["out", "up", "none", "up/../outside"])
      expect({ subpath, ...shown(subpath) }).toMatchObject({ status: 125, stdout: "" });
    expect(readdirSync(box.path("outside"))).toEqual(["f"]);
  });

  test("a volume may be a tmpfs or a bind by its options, a mount read-only or alone", () => {
    using box = new Box(built.directory);
    mkdirSync(box.path("srv"));
    writeFileSync(box.path("srv/f"), "bound");
    const options = (type: string, device: string, o: string) =>
      `volume-opt=type=${type},volume-opt=device=${device},"volume-opt=o=${o}"`;
    const ran = box.sh(
      "cat /b/f /r/f; echo x >/r/f; echo y >/t/f; cat /t/f; grep -E ' /(t|d) ' /proc/mounts",
      {
        mounts: mounts(
          box,
          `src=b,dst=/b,${options("none", box.path("srv"), "bind")}`,
          "type=bind,src=./srv,dst=/r,ro,bind-recursive=disabled",
          `src=t,dst=/t,${options("tmpfs", "tmpfs", "size=64k,mode=700")}`,
          "type=tmpfs,dst=/d,tmpfs-size=128k,tmpfs-mode=750",
        ),
      },
    );
    expect(ran.stderr).toMatch(/can't create \/r\/f: Read-only file system/);
    expect(ran.stdout).toMatch(/^boundboundy\n/);
    expect(ran.stdout).toMatch(/ \/t tmpfs \S*size=64k,mode=700/);
    expect(ran.stdout).toMatch(/ \/d tmpfs \S*nosuid,nodev,noexec\S*size=128k,mode=750/);
  });
});
