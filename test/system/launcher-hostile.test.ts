import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Box, buildLauncher, canLaunch } from "./launcher-box.ts";

describe.skipIf(!canLaunch)("an image that means harm", () => {
  let built: ReturnType<typeof buildLauncher>;
  beforeAll(() => {
    built = buildLauncher();
  });
  afterAll(() => built[Symbol.dispose]());
  const box = () => new Box(built.directory);

  test.each(["/proc", "/sys"])("whose %s is a symbolic link is refused", (path) => {
    using it = box();
    mkdirSync(`${it.root}/etc`);
    symlinkSync("/etc", `${it.root}${path}`);
    const ran = it.sh("echo ran");
    expect([ran.status, ran.stdout]).toEqual([125, ""]);
    expect(ran.stderr).toContain(`finding directory "${path}" in the container`);
    expect(ran.stderr).toContain(`hint: "${path}" must be a real directory in the image`);
    expect(it.record("exit")).toMatchObject({ exitCode: 125 });
  });

  test("whose /proc is a file is refused", () => {
    using it = box();
    writeFileSync(`${it.root}/proc`, "");
    expect(it.sh("echo ran")).toMatchObject({ status: 125, stdout: "" });
  });

  test("cannot lead a mount out of its root", () => {
    using it = box();
    const outside = it.path("outside");
    mkdirSync(`${outside}/dir`, { recursive: true });
    writeFileSync(`${outside}/file`, "host");
    mkdirSync(`${it.root}/etc`);
    // An absolute link, one that climbs, and one that goes through /proc.
    symlinkSync(outside, `${it.root}/absolute`);
    symlinkSync(`../../../../../../..${outside}`, `${it.root}/climbing`);
    symlinkSync("/proc/1/root", `${it.root}/magic`);
    symlinkSync("/devices", `${it.root}/dev`);
    mkdirSync(`${it.root}/devices`);
    writeFileSync(it.path("volume"), "volume");
    const volume = (destination: string) => ({
      destination,
      type: "bind",
      source: it.path("volume"),
      options: ["rbind", "rprivate"],
    });
    const ran = it.sh("cat /absolute/file /climbing/file; ls /devices", {
      mounts: [volume("/absolute/file"), volume("/climbing/file")],
    });
    // A dangling link is no place for a mount; a directory behind it inside the root would be.
    expect(ran.status).toBe(125);
    mkdirSync(`${it.root}${outside}`, { recursive: true });
    const again = it.sh("cat /absolute/file /climbing/file; ls /devices", {
      mounts: [volume("/absolute/file"), volume("/climbing/file")],
    });
    expect(again.stdout).toMatch(/^volumevolume[\s\S]*null/);
    expect(it.sh("true", { mounts: [volume("/magic/file")] }).status).toBe(125);
    expect(readdirSync(outside)).toEqual(["dir", "file"]);
    expect(readFileSync(`${outside}/file`, "utf8")).toBe("host");
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(it.directory);
  });

  test("cannot keep a working directory on the host", () => {
    using it = box();
    for (const cwd of ["/proc/self/fd/3", "/proc/self/fd/7", "/proc/1/cwd", "/proc/self/root"]) {
      const ran = it.sh("ls; pwd", { process: { cwd } });
      expect([cwd, ran.status, ran.stdout]).toEqual([cwd, 125, ""]);
    }
    symlinkSync("/proc/self/fd/4", `${it.root}/link`);
    expect(it.sh("ls", { process: { cwd: "/link" } }).status).toBe(125);
  });

  test("cannot put its own file where masks look for the null device", () => {
    using it = box();
    mkdirSync(`${it.root}/dev`);
    symlinkSync("/bin/busybox", `${it.root}/dev/null`);
    expect(it.sh("cat /proc/keys | head -c 1; ls -l /dev/null").stdout).toMatch(/^crw-rw-rw-/);
  });

  test("cannot open the launcher's program through the process that became the container", () => {
    using it = box();
    const ran = it.sh("readlink /proc/1/exe; cat /proc/1/exe > /dev/null && echo read", {
      request: { init: true },
    });
    expect(ran.stdout).toBe("");
  });

  test("is refused a volume over parts of /proc", () => {
    using it = box();
    const mounts = [
      { destination: "/proc/sys/kernel", type: "bind", source: it.state, options: ["rbind"] },
    ];
    expect(() => it.sh("true", { mounts })).toThrow('it is inside "/proc"');
  });

  test("that fails to start leaves no cgroup", () => {
    using it = box();
    rmSync(`${it.root}/bin`, { recursive: true });
    expect(it.sh("true").status).toBe(127);
    expect(it.cgroup().removals.filter((path) => existsSync(path))).toEqual([]);
  });
});
