import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Box, buildLauncher, canLaunch, processesBelow, until } from "./launcher-box.ts";

describe.skipIf(!canLaunch)("the launcher", () => {
  let built: ReturnType<typeof buildLauncher>;
  beforeAll(() => {
    built = buildLauncher();
  });
  afterAll(() => built[Symbol.dispose]());
  const box = () => new Box(built.directory);

  test("passes on the command's exit status and output", () => {
    using it = box();
    const ran = it.sh("echo out; echo err >&2; exit 3");
    expect(ran).toMatchObject({ status: 3, stdout: "out\n", stderr: "err\n" });
    expect(it.record("exit")).toMatchObject({ exitCode: 3, signal: 0, oomKilled: false });
    expect(it.record("started")).toMatchObject({
      launcher: expect.any(Number),
      startTime: expect.stringMatching(/^\d+$/),
      bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
      startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/),
    });
    expect(it.run({ args: ["true"] }).status).toBe(0);
  });

  test("tells a command that is not found from one that cannot be run", () => {
    using it = box();
    writeFileSync(`${it.root}/bin/plain`, "true\n", { mode: 0o755 });
    writeFileSync(`${it.root}/bin/data`, "#!/bin/sh\n", { mode: 0o644 });
    writeFileSync(`${it.root}/bin/lost`, "#!/nowhere/interpreter\n", { mode: 0o755 });
    const outcome = (...args: string[]) => {
      const { status, stderr } = it.run({ args });
      return [status, stderr.split("\n")[0]];
    };
    expect(outcome("nope")).toEqual([
      127,
      'tsimg: exec: "nope": executable file not found in $PATH',
    ]);
    expect(outcome("/nope")).toEqual([127, 'tsimg: exec: "/nope": no such file or directory']);
    expect(outcome("data")).toEqual([
      127,
      'tsimg: exec: "data": executable file not found in $PATH',
    ]);
    expect(outcome("/bin/data")).toEqual([126, 'tsimg: exec: "/bin/data": permission denied']);
    expect(outcome("/bin")).toEqual([126, 'tsimg: exec: "/bin": permission denied']);
    expect(outcome("plain")).toEqual([126, 'tsimg: exec: "plain": exec format error']);
    expect(outcome("lost")).toEqual([127, 'tsimg: exec: "lost": no such file or directory']);
    expect(it.record("exit")).toMatchObject({
      exitCode: 127,
      error: expect.stringMatching("lost"),
    });
  });

  test("answers 128 + n for a command that a signal ends", () => {
    using it = box();
    expect(it.sh("kill -KILL $$; true", { request: { init: true } }).status).toBe(137);
    const running = it.sh("sh -c 'kill -TERM $$'; echo $?");
    expect(running.stdout).toBe("143\n");
  });

  test.each([false, true])("forwards signals, with an init process: %s", async (init) => {
    using it = box();
    const script = "trap 'echo got TERM; exit 9' TERM; echo ready; while :; do sleep 0.1; done";
    const child = it.spawn({ args: ["sh", "-c", script], request: { init } });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    await until(() => output.includes("ready"));
    child.kill("SIGTERM");
    const [status] = await once(child, "close");
    expect([status, output]).toEqual([9, "ready\ngot TERM\n"]);
  });

  test("gives a signal that ends the command as 128 + n, and records it", async () => {
    using it = box();
    const child = it.spawn({ args: ["sleep", "100"], request: { init: true } });
    await until(() => existsSync(`${it.state}/started.json`));
    child.kill("SIGTERM");
    expect(await once(child, "close")).toEqual([143, null]);
  });

  test("an init process reaps orphans", () => {
    using it = box();
    const script =
      "for i in 1 2 3; do sh -c 'sleep 0 & exit 0'; done; sleep 0.2; " +
      "cat /proc/[0-9]*/stat | cut -d' ' -f3 | grep -c Z; cat /proc/1/comm /proc/1/cmdline";
    const ran = it.sh(script.replaceAll("cut", "busybox cut").replaceAll("grep", "busybox grep"), {
      request: { init: true },
    });
    expect(ran.stdout).toMatch(/^0\ntsimg-init\n\S*launcher\0+$/);
  });

  test("shows the container nothing but its own", () => {
    using it = box();
    const seen = it.sh("ls /proc/1/fd; cat /proc/1/mountinfo; cat /proc/1/cgroup; hostname").stdout;
    expect(seen.split("\n").slice(0, 3)).toEqual(["0", "1", "2"]);
    expect(seen.split("\n")[3]).toMatch(/^\d+ \d+ \S+ \S+ \/ /);
    expect(seen).not.toContain("/tsimg-test-");
    expect(seen).toMatch(/\nbox\n$/);
  });

  test("starts the command with default signals, no signal blocked, and the wanted rights", () => {
    using it = box();
    const status = it.run({
      args: ["cat", "/proc/self/status"],
      process: { user: { uid: 1000, gid: 1001, additionalGids: [7, 8] }, noNewPrivileges: true },
    }).stdout;
    const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1];
    expect(field("SigBlk")).toBe("0000000000000000");
    expect(field("SigIgn")).toBe("0000000000000000");
    expect(field("Uid")).toBe("1000\t1000\t1000\t1000");
    expect(field("Gid")).toBe("1001\t1001\t1001\t1001");
    expect(field("Groups")?.trim()).toBe("7 8");
    expect(field("CapEff")).toBe("0000000000000000");
    expect(field("CapBnd")).toBe("00000000080000e3");
    expect(field("NoNewPrivs")).toBe("1");
    expect(field("Umask")).toBe("0022");
  });

  test("hides and protects what the spec names", () => {
    using it = box();
    const ran = it.sh(
      "cat /proc/keys; ls /sys/firmware; for f in /proc/sys/x /sys/x /proc/acpi/x; do touch $f 2>&1; done; " +
        "readlink /dev/fd; readlink /dev/ptmx; ls -l /dev/null",
    );
    expect(ran.stdout).toMatch(
      /^touch: [^\n]+\ntouch: [^\n]+\ntouch: [^\n]+\n\/proc\/self\/fd\npts\/ptmx\ncrw-rw-rw-/,
    );
  });

  test("mounts volumes, makes their targets, keeps read-only ones read-only with their submounts", () => {
    using it = box();
    writeFileSync(it.path("file"), "content");
    chmodSync(it.path("file"), 0o644);
    const bind = (source: string, destination: string, ...options: string[]) => ({
      destination,
      type: "bind",
      source,
      options: ["rbind", "rprivate", ...options],
    });
    const ran = it.sh(
      "cat /a/b/file; echo x > /d/e/new; echo x > /ro/new; echo x > /new; ls /work",
      {
        root: { readonly: true },
        process: { cwd: "/work/made" },
        mounts: [
          bind(it.path("file"), "/a/b/file", "ro"),
          bind(it.state, "/d/e"),
          bind(it.state, "/ro", "ro"),
        ],
      },
    );
    expect(ran.stdout).toBe("contentmade\n");
    expect(ran.stderr.match(/read-only/gi)).toHaveLength(2);
    expect(readFileSync(`${it.state}/new`, "utf8")).toBe("x\n");
  });

  test("ends the container when the launcher is killed", async () => {
    using it = box();
    const child = it.spawn({ args: ["sh", "-c", `: ${it.directory}; sleep 1000; true`] });
    await until(() => existsSync(`${it.state}/started.json`));
    const { pid } = it.record("started");
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    child.kill("SIGKILL");
    await once(child, "close");
    await until(() => processesBelow(it.directory).length === 0);
  });

  test("removes its cgroups, and trees with whatever a container left in them", () => {
    using it = box();
    const victim = it.path("victim");
    const make =
      `mkdir -p ${victim}/a/b && touch ${victim}/a/b/f && ln -s /etc ${victim}/a/etc && ` +
      `mkfifo ${victim}/fifo && chmod 000 ${victim}/a/b ${victim}/a && ` +
      `ln -s ${it.state} ${it.path("link")} && cd ${victim} && mkdir -p ${"d/".repeat(1500)}`;
    expect(spawnSync("sh", ["-c", make]).status).toBe(0);
    const ran = it.run({
      args: ["nope"],
      request: { removeAfter: [victim, it.path("link"), it.path("never-there")] },
    });
    expect(ran.status).toBe(127);
    expect([victim, it.path("link")].filter((path) => existsSync(path))).toEqual([]);
    expect(existsSync(it.state)).toBe(true);
    expect(existsSync("/etc/passwd")).toBe(true);
    expect(it.cgroup().removals.filter((path) => existsSync(path))).toEqual([]);
  });

  test("notices that the kernel killed for memory", (context) => {
    using it = box();
    if (it.cgroup().oomFile === undefined) context.skip("no version 1 memory controller here");
    const ran = it.sh("x=$(seq 1 9999999); echo done", { memory: "4000000" });
    expect(ran.status).not.toBe(0);
    expect(it.record("exit")).toMatchObject({ oomKilled: true });
  });

  test("leaves no mount on the host", () => {
    using it = box();
    it.sh("true");
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(it.directory);
    expect(processesBelow(it.directory)).toEqual([]);
  });
});
