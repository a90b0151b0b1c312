import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { outputOf } from "../../fixtures/command.ts";
import { reason, Stage } from "./run-stage.ts";

const LOOP = "trap 'exit 0' TERM; while :; do sleep 0.05; done";

describe.skipIf(reason)(`cp ${reason ?? ""}`, () => {
  let stage: Stage;
  /** A directory of the host, empty at the start of each test. */
  let host: string;
  let pid: number;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
    mkdirSync(join(stage.root, "bound"));
    const bind = `${join(stage.root, "bound")}:/bound`;
    await stage.output("run", "-d", "--name", "live", "-v", bind, stage.tiny, "sh", "-c", LOOP);
    await stage.output("run", "-d", "--name", "still", "-v", bind, stage.tiny, "true");
    pid = (await stage.inspect("live")).State.Pid;
    await stage.until(async () => (await stage.inspect("still")).State.Status === "exited");
  });
  afterAll(async () => {
    await stage?.tsimg(["rm", "-f", "live", "still"]);
    await stage?.[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    host = join(stage.root, "host");
    rmSync(host, { recursive: true, force: true });
    mkdirSync(host);
  });

  const cp = (...args: string[]) => stage.tsimg(["cp", ...args], { cwd: host });
  async function copies(...args: string[]): Promise<void> {
    expect(await cp(...args)).toEqual({ status: 0, stdout: "", stderr: "" });
  }
  async function fails(words: RegExp, ...args: string[]): Promise<void> {
    const { status, stderr } = await cp(...args);
    expect(stderr).toMatch(words);
    expect(status).not.toBe(0);
  }
  /** What a shell in the running container prints. */
  const inside = (script: string) =>
    outputOf(["nsenter", "-t", String(pid), "-m", "-p", "/bin/sh", "-c", script]);

  test.each(["live", "still"])("follows docker's rules for destinations: %s", async (name) => {
    const to = (path: string) => `${name}:/tmp/rules${path}`;
    const back = async (path: string) => {
      rmSync(join(host, "back"), { recursive: true, force: true });
      await copies(to(path), "back");
      return join(host, "back");
    };
    mkdirSync(join(host, "dir/sub"), { recursive: true });
    writeFileSync(join(host, "dir/sub/file"), "deep");
    writeFileSync(join(host, "file"), "one");
    mkdirSync(join(host, "empty"));

    await copies("./empty", to(""));
    await copies("file", to("/new-name"));
    expect(readFileSync(await back("/new-name"), "utf8")).toBe("one");
    await copies("file", to(""));
    expect(readFileSync(await back("/file"), "utf8")).toBe("one");
    writeFileSync(join(host, "file"), "two");
    await copies("file", to("/new-name"));
    expect(readFileSync(await back("/new-name"), "utf8")).toBe("two");
    await fails(/no such directory: '.*:\/tmp\/rules\/none'/, "file", to("/none/"));
    await fails(/'.*:\/tmp\/rules\/file' is not a directory/, "file", to("/file/"));
    await fails(/no such file or directory: '.*rules\/none'/, "file", to("/none/x"));

    await copies("dir", to("/made"));
    expect(readFileSync(join(await back("/made"), "sub/file"), "utf8")).toBe("deep");
    await copies("dir", to("/made"));
    expect(readdirSync(await back("/made")).sort()).toEqual(["dir", "sub"]);
    await copies("dir/.", to("/empty"));
    expect(readdirSync(await back("/empty"))).toEqual(["sub"]);
    await fails(/cannot copy a directory onto the file/, "dir", to("/file"));
    await copies("file", to("/sub"));
    await fails(/cannot overwrite non-directory '.*sub' with a directory/, "dir/.", to(""));
    await copies("dir", to("/taken"));
    mkdirSync(join(host, "other"));
    writeFileSync(join(host, "other/sub"), "a file");
    await fails(/cannot overwrite directory with non-directory '.*sub'/, "other/.", to("/taken"));

    mkdirSync(join(host, "into"));
    await copies(to("/made"), "into");
    expect(readdirSync(join(host, "into"))).toEqual(["made"]);
    await copies(to("/made/."), "into/.");
    expect(readdirSync(join(host, "into")).sort()).toEqual(["dir", "made", "sub"]);
    await fails(/'.*rules\/file' is not a directory/, to("/file/"), "x");
    await fails(/no such file or directory: '.*rules\/none'/, to("/none"), "x");
  });

  test("keeps links, holes, times, attributes and names that are no text", async () => {
    const tree = join(host, "tree");
    mkdirSync(join(tree, "a"), { recursive: true });
    writeFileSync(join(tree, "a/first"), "shared", { mode: 0o640 });
    linkSync(join(tree, "a/first"), join(tree, "second"));
    symlinkSync("../nowhere", join(tree, "dangling"));
    const odd = Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0xfe, 0x0a])]);
    writeFileSync(odd, "odd");
    writeFileSync(join(tree, "holes"), "start");
    truncateSync(join(tree, "holes"), 2 ** 31 + 7);
    await outputOf(["mkfifo", join(tree, "pipe")]);
    await outputOf(["setfattr", "-n", "user.note", "-v", "kept", join(tree, "second")]);
    utimesSync(join(tree, "a"), 1_000_000_000, 1_234_567_890.5);
    await outputOf(["chown", "-R", "1234:2345", tree]);

    await copies("-a", "tree", "live:/tmp/");
    await copies("-a", "live:/tmp/tree", "back");
    const back = join(host, "back");
    const stat = (name: string) => lstatSync(join(back, name));
    expect(stat("a/first").ino).toBe(stat("second").ino);
    expect({ mode: stat("second").mode & 0o7777, uid: stat("second").uid }).toEqual({
      mode: 0o640,
      uid: 1234,
    });
    expect(readlinkSync(join(back, "dangling"))).toBe("../nowhere");
    const names = readdirSync(back, { encoding: "buffer" }).map((name) => name.toString("latin1"));
    expect(names).toContain("\u00ff\u00fe\n");
    expect([stat("holes").size, stat("holes").blocks < 100]).toEqual([2 ** 31 + 7, true]);
    expect(stat("pipe").isFIFO()).toBe(true);
    expect(stat("a").mtimeMs).toBe(1_234_567_890_500);
    const note = await outputOf([
      "getfattr",
      "--only-values",
      "-n",
      "user.note",
      join(back, "second"),
    ]);
    expect(note).toBe("kept");

    // Without -a they are the caller's, and what they claim about rights is left behind.
    await copies("tree", "live:/tmp/plain");
    expect(await inside("stat -c %u:%g /tmp/plain/second")).toBe("0:0\n");
    await inside("cp /bin/busybox /tmp/suid; chown 12:34 /tmp/suid; chmod 6755 /tmp/suid");
    await copies("live:/tmp/suid", "suid");
    expect(statSync(join(host, "suid"))).toMatchObject({ mode: 0o100755, uid: 0, gid: 0 });
    await copies("-a", "live:/tmp/suid", "suid");
    expect(statSync(join(host, "suid"))).toMatchObject({ mode: 0o106755, uid: 12, gid: 34 });
  });

  test("follows a link at the source only when told, and its own at the destination", async () => {
    await inside("mkdir -p /tmp/links/real; echo x >/tmp/links/real/f; ln -s real /tmp/links/to");
    await inside("ln -s real/g /tmp/links/dangling");
    await copies("live:/tmp/links/to", "copied");
    expect(readlinkSync(join(host, "copied"))).toBe("real");
    await copies("-L", "live:/tmp/links/to", "followed");
    await copies("live:/tmp/links/to/", "slash");
    expect([readdirSync(join(host, "followed")), readdirSync(join(host, "slash"))]).toEqual([
      ["f"],
      ["f"],
    ]);
    writeFileSync(join(host, "file"), "new");
    await copies("file", "live:/tmp/links/to");
    await copies("file", "live:/tmp/links/dangling");
    expect(
      await inside("cat /tmp/links/real/file /tmp/links/real/g; readlink /tmp/links/dangling"),
    ).toBe("newnewreal/g\n");
  });

  test("volumes and binds are seen, running or not", async () => {
    writeFileSync(join(stage.root, "bound/mark"), "bound");
    await copies("live:/bound/mark", "from-live");
    await copies("still:/bound/mark", "from-still");
    expect(readFileSync(join(host, "from-still"), "utf8")).toBe("bound");
    writeFileSync(join(host, "file"), "in");
    await copies("file", "still:/bound/written");
    expect(readFileSync(join(stage.root, "bound/written"), "utf8")).toBe("in");
    // Replaced in its directory, the mount would be gone.
    await fails(/can't be replaced: something is mounted on it/, "file", "live:/etc/hosts");
  });

  test("one that doesn't run, kept by another driver", async () => {
    const driver = "vfs";
    const script = "mkdir -p /kept/d; echo x >/kept/d/f";
    await stage.tsimg([
      "run",
      "--driver",
      driver,
      "--name",
      driver,
      stage.tiny,
      "sh",
      "-c",
      script,
    ]);
    try {
      writeFileSync(join(host, "new"), "new");
      await copies("new", `${driver}:/kept/`);
      await copies(`${driver}:/kept`, "out");
      expect(await outputOf(["find", "out", "-type", "f"], { cwd: host })).toMatch(
        /^out\/(d\/f\nout\/new|new\nout\/d\/f)\n$/,
      );
    } finally {
      await stage.tsimg(["rm", "-f", driver]);
    }
  });

  test("a tar stream leads out and in, also compressed", async () => {
    await inside(
      "mkdir -p /tmp/t/d; echo one >/tmp/t/d/f; ln /tmp/t/d/f /tmp/t/g; chown 5:6 /tmp/t/g",
    );
    const listed = await stage.shell("$TSIMG cp live:/tmp/t - | tar tv --numeric-owner");
    expect(listed.stdout.split("\n").map((line) => line.replace(/ +\d+ \d{4}-.{11}/, ""))).toEqual(
      expect.arrayContaining(["drwxr-xr-x 0/0 t/", "drwxr-xr-x 0/0 t/d/"]),
    );
    expect(listed.stdout).toMatch(/^[-h]rw-r--r-- 5\/6 .* t\/g/m);
    expect((await stage.shell("$TSIMG cp live:/tmp/t/. - | tar t | sort")).stdout).toBe(
      "./\n./d/\n./d/f\n./g\n",
    );
    for (const filter of ["cat", "gzip", "zstd -q"]) {
      const line = `$TSIMG cp live:/tmp/t - | ${filter} | $TSIMG cp - still:/tmp`;
      expect(await stage.shell(line)).toMatchObject({ status: 0, stderr: "" });
      await copies("-a", "still:/tmp/t", "t");
      expect(lstatSync(join(host, "t/g"))).toMatchObject({ nlink: 2, uid: 5, gid: 6 });
      rmSync(join(host, "t"), { recursive: true });
    }
    const early = await stage.shell("$TSIMG cp live:/bin - | head -c 1000 | wc -c");
    expect(early).toMatchObject({ status: 0, stdout: "1000\n", stderr: "" });
    const file = await stage.shell("echo x | $TSIMG cp - live:/etc/passwd");
    expect(file.stderr).toMatch(/'live:\/etc\/passwd' is not a directory/);
    const junk = await stage.shell("echo x | gzip | $TSIMG cp - live:/tmp");
    expect(junk).toMatchObject({ status: 1, stderr: expect.stringMatching(/cut short/) });
  });

  test("what makes no sense is said", async () => {
    await fails(/at least one container/, "a", "b");
    await fails(/between containers/, "live:/a", "still:/b");
    await fails(/can't both be/, "-", "-");
    await fails(/no such container: 'none'/, "none:/a", ".");
    await fails(/neither a directory nor a regular file/, "live:/etc/passwd", "/dev/null");
    await fails(/path to copy is empty/, "live:", ".");
    mkdirSync(join(host, "a:b"));
    await copies("./a:b", "live:/tmp/");
    expect(await inside("ls -d /tmp/a:b")).toBe("/tmp/a:b\n");
  });
});
