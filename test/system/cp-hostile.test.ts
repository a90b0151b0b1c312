import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { outputOf } from "../../fixtures/command.ts";
import { dir, file, link, symlink } from "../../fixtures/layers/change.ts";
import { layerTar } from "../../fixtures/layers/layer-tar.ts";
import { reason, Stage } from "./run-stage.ts";

/** A program that runs until it is killed. */
function startOther(argv: readonly string[]): ChildProcess {
  return spawn(argv[0] ?? "", argv.slice(1), { stdio: "ignore" });
}

const LOOP = "trap 'exit 0' TERM; while :; do sleep 0.05; done";

describe.skipIf(reason)(`cp with a hostile container ${reason ?? ""}`, () => {
  let stage: Stage;
  let host: string;
  /** A directory of the host that no container may reach; a path that none has. */
  let victim: string;
  let pid: number;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
    mkdirSync(join(stage.root, "bound"));
    const bind = `${join(stage.root, "bound")}:/bound`;
    await stage.output("run", "-d", "--name", "evil", "-v", bind, stage.tiny, "sh", "-c", LOOP);
    pid = (await stage.inspect("evil")).State.Pid;
    victim = join(stage.root, "victim");
  });
  afterAll(async () => {
    await stage?.tsimg(["rm", "-f", "evil"]);
    await stage?.[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    host = join(stage.root, "host");
    for (const directory of [host, victim]) {
      rmSync(directory, { recursive: true, force: true });
      mkdirSync(directory);
    }
    writeFileSync(join(victim, "secret"), "secret");
  });

  const cp = (...args: string[]) => stage.tsimg(["cp", ...args], { cwd: host });
  const nsenter = () => ["nsenter", "-t", String(pid), "-m", "-p", "/bin/sh", "-c"];
  const inside = (script: string) => outputOf([...nsenter(), script]);
  function expectVictimUntouched(): void {
    expect(readdirSync(victim)).toEqual(["secret"]);
    expect(readFileSync(join(victim, "secret"), "utf8")).toBe("secret");
  }

  test("absolute links, links with .. and magic links lead nowhere out", async () => {
    await inside(`mkdir -p /l; cd /l; ln -s ${victim} abs; ln -s ../../../../../..${victim} up`);
    await inside(`cd /l; ln -s ${victim}/secret file; ln -s /proc/1/root magic`);
    writeFileSync(join(host, "new"), "new");
    const sources = ["abs/secret", "up/secret", "file", "abs", "up", "../..".repeat(9) + victim];
    for (const source of sources) {
      const { status, stderr } = await cp("-L", `evil:/l/${source}`, "out");
      expect({ source, status, stderr }).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/no such file/),
      });
    }
    expect((await cp("evil:/l/magic/etc/passwd", "out")).stderr).toMatch(/too many symbolic links/);
    expect((await cp("-L", "evil:/proc/1/fd/0", "out")).status).not.toBe(0);
    for (const target of ["abs/", "up/", "abs/x", "up/secret", "file"])
      expect((await cp("new", `evil:/l/${target}`)).stderr).toMatch(/no such|not a directory/);
    expect(existsSync(join(host, "out"))).toBe(false);
    expectVictimUntouched();
  });

  test("a directory that is swapped for a link while it is copied", async () => {
    mkdirSync(join(host, "tree/sub/deeper"), { recursive: true });
    for (const name of ["a", "sub/b", "sub/deeper/c"]) writeFileSync(join(host, "tree", name), "x");
    await inside("mkdir -p /race/tree");
    const swap = `cd /race/tree; while :; do rm -rf sub; ln -s ${victim} sub; rm -f sub; mkdir -p sub/deeper; echo y >sub/b; done`;
    const racer = startOther([...nsenter(), swap]);
    try {
      let came = 0;
      // At least once it is what was copied.
      for (let round = 0; round < 10 || (came === 0 && round < 200); round++) {
        const into = await cp("tree/.", "evil:/race/tree");
        const tar = await stage.shell(
          `tar -C ${host} -c tree | $TSIMG cp - evil:/race && $TSIMG cp evil:/race - | tar t`,
        );
        const out = await cp("evil:/race/tree/.", "evil-tree");
        for (const { stderr } of [into, tar, out]) expect(stderr).not.toMatch(/\n.*at /);
        const copied = join(host, "evil-tree");
        if (existsSync(join(copied, "sub")) && lstatSync(join(copied, "sub")).isDirectory()) came++;
        expect(existsSync(copied) ? await outputOf(["find", copied, "-name", "secret"]) : "").toBe(
          "",
        );
        rmSync(copied, { recursive: true, force: true });
      }
      expect(came).toBeGreaterThan(0);
    } finally {
      racer.kill("SIGKILL");
      await once(racer, "exit");
    }
    expectVictimUntouched();
  });

  test("pipes are not opened, devices are left out unless asked for", async () => {
    await inside(
      "mkdir -p /odd; mkfifo /odd/pipe; mknod /odd/mem c 1 1; mknod -m 666 /odd/disk b 8 0",
    );
    expect(await cp("evil:/odd", "odd")).toEqual({
      status: 0,
      stdout: "",
      stderr: "tsimg: left out: 2 device nodes\n",
    });
    expect(readdirSync(join(host, "odd"))).toEqual(["pipe"]);
    expect(lstatSync(join(host, "odd/pipe")).isFIFO()).toBe(true);
    expect(await cp("-a", "evil:/odd/mem", "mem")).toMatchObject({ status: 0, stderr: "" });
    expect(lstatSync(join(host, "mem")).isCharacterDevice()).toBe(true);
    // What the kernel makes up is not copied with the rest.
    const whole = await stage.shell("$TSIMG cp evil:/ - | tar t | grep -c '^./proc/'");
    expect(whole).toMatchObject({
      stdout: "1\n",
      stderr: expect.stringMatching(/left out: .*file systems of the kernel/),
    });
  });

  test("a tree deeper than any path, and a file that never stops growing", async () => {
    await inside(
      "mkdir /deep; cd /deep; i=0; while [ $i -lt 1100 ]; do mkdir d; cd d; i=$((i+1)); done",
    );
    const { status, stderr } = await cp("evil:/deep", "deep");
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/is more than 1000 deep/),
    });
    const grow = "mkdir /grow; while :; do echo 0123456789; done >/grow/file";
    const writer = startOther([...nsenter(), grow]);
    try {
      await stage.until(async () => (await cp("evil:/grow/file", "first")).status === 0);
      expect(await cp("evil:/grow", "grow")).toMatchObject({ status: 0, stderr: "" });
    } finally {
      writer.kill("SIGKILL");
      await once(writer, "exit");
    }
    expect(statSync(join(host, "grow/file")).size).toBeGreaterThan(0);
  });

  test("archives that climb, or write through a link of theirs", async () => {
    const unpack = async (...changes: Parameters<typeof layerTar>[0]) => {
      writeFileSync(join(host, "t.tar"), layerTar(changes));
      return stage.shell(`$TSIMG cp - evil:/bound/../tmp <${join(host, "t.tar")}`);
    };
    const climbing = await unpack(file("../../../f"));
    expect(climbing).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/climbs with ".."/),
    });
    for (const entry of [
      file("link/f"),
      dir("link/d"),
      link("hard", "link/secret"),
      file("a/../../f"),
    ])
      for (const target of [victim, `../../../../../..${victim}`]) {
        const { status, stderr } = await unpack(symlink("link", target), entry);
        expect({ status, stderr }).toMatchObject({
          status: expect.toSatisfy((number: number) => number !== 0),
          stderr: expect.stringMatching(/no such file or directory|climbs/),
        });
      }
    // Inside of the container links are followed, as its own tar would.
    expect(await unpack(symlink("link", "/root"), file("link/f", "inside"))).toMatchObject({
      status: 0,
    });
    expect(await inside("cat /root/f")).toBe("inside");
    expectVictimUntouched();
  });

  test("a copy of a directory into itself ends", async () => {
    mkdirSync(join(stage.root, "bound/d"), { recursive: true });
    writeFileSync(join(stage.root, "bound/d/f"), "");
    const { status, stderr } = await cp(stage.root.concat("/bound"), "evil:/bound/d");
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/into itself/),
    });
    const same = await cp(join(stage.root, "bound/d"), "evil:/bound");
    expect(same).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/is what is to be copied/),
    });
  });

  test("a full destination and a read-only container are named", async () => {
    await inside("dd if=/dev/zero of=/big bs=1M count=3 2>/dev/null");
    const full = join(host, "full");
    mkdirSync(full);
    await outputOf(["mount", "-t", "tmpfs", "-o", "size=1m", "full", full]);
    try {
      const { status, stderr } = await cp("evil:/big", "full/");
      expect({ status, stderr }).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/no space left for 'big'/),
      });
      expect(readdirSync(full)).toEqual([]);
    } finally {
      await outputOf(["umount", full]);
    }
    writeFileSync(join(host, "f"), "new");
    const options = ["run", "-d", "--name", "ro", "--read-only", "--tmpfs", "/tmp", stage.tiny];
    await stage.output(...options, "sh", "-c", LOOP);
    try {
      expect((await cp("f", "ro:/etc/f")).stderr).toMatch(/its place is read-only/);
      expect((await cp("f", "ro:/tmp/f")).status).toBe(0);
      await stage.output("stop", "ro");
      expect((await cp("f", "ro:/etc/f")).stderr).toMatch(/its place is read-only/);
      expect((await cp("ro:/etc/passwd", "p")).status).toBe(0);
    } finally {
      await stage.tsimg(["rm", "-f", "ro"]);
    }
  });

  test("killed half-way it leaves no file that isn't whole", async () => {
    await inside("dd if=/dev/zero of=/large bs=1M count=150 2>/dev/null");
    const target = join(host, "target");
    mkdirSync(target);
    let cut = 0;
    for (let delay = 60; delay < 400; delay += 20) {
      const child = stage.start(["cp", "evil:/large", target]);
      await sleep(delay);
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      const files = readdirSync(target);
      if (files.length === 0) cut++;
      else expect(statSync(join(target, files.join())).size).toBe(150 << 20);
      rmSync(target, { recursive: true });
      mkdirSync(target);
    }
    expect(cut).toBeGreaterThan(0);
  });

  test("10,000 files", async () => {
    const many = join(host, "many");
    mkdirSync(many);
    for (let n = 0; n < 10_000; n++) writeFileSync(join(many, `file-${n}`), String(n));
    expect(await cp("many", "evil:/many")).toMatchObject({ status: 0, stderr: "" });
    expect(await cp("evil:/many", "back")).toMatchObject({ status: 0, stderr: "" });
    expect(await outputOf(["diff", "-r", many, join(host, "back")])).toBe("");
  });
});
