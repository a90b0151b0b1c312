import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reason, Stage } from "./run-stage.ts";
import { onTerminal, terminalReason } from "./support/on-terminal.ts";

const LOOP = "while :; do sleep 0.02; done";

describe.skipIf(reason)(`tsimg exec ${reason ?? ""}`, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
    const flags = ["-e", "OWN=1", "-w", "/tmp", "--cap-drop", "CHOWN"];
    const script = `trap 'exit 0' TERM; ${LOOP}`;
    await stage.output("run", "-d", "--name", "box", ...flags, stage.tiny, "sh", "-c", script);
  });
  afterAll(async () => {
    await stage?.output("rm", "-f", "box");
    await stage?.[Symbol.asyncDispose]();
  });

  const exec = (...words: string[]) => stage.tsimg(["exec", ...words]);
  /** How many processes in the container have that command line. */
  const count = async (line: string) =>
    (await stage.output("exec", "box", "ps")).split("\n").filter((each) => each.endsWith(line))
      .length;
  const says = async (...words: string[]) => stage.output("exec", ...words);

  test("has the container's environment, directory, namespaces and cgroup", async () => {
    expect(await says("box", "sh", "-c", "echo $OWN; pwd; id -u")).toBe("1\n/tmp\n0\n");
    const { Pid } = (await stage.inspect("box")).State;
    const names = ["mnt", "pid", "net", "ipc", "uts", "cgroup"];
    const links = `for ns in ${names.join(" ")}; do readlink /proc/$PID/ns/$ns; done`;
    const inside = await says("-e", "PID=self", "box", "sh", "-c", links);
    expect(inside).toBe((await stage.shell(`PID=${Pid}; ${links}`)).stdout);
    const group = "cat /proc/$PID/cgroup";
    const own = await says("-e", "PID=self", "box", "sh", "-c", group);
    expect(own).toBe(await says("-e", "PID=1", "box", "sh", "-c", group));
  });

  test("has no more rights than the first process, unless it is privileged", async () => {
    const script = (pid: string) => `grep -E '^(Cap|NoNew|Seccomp:)' /proc/${pid}/status`;
    const first = await says("box", "sh", "-c", script("1"));
    expect(first).toMatch(/Seccomp:\t2/);
    expect(await says("box", "sh", "-c", script("self"))).toBe(first);
    expect((await exec("box", "chown", "1", "/tmp")).stderr).toContain("not permitted");
    const all = await says("--privileged", "box", "sh", "-c", script("self"));
    expect(all).toMatch(/Seccomp:\t0/);
    expect(all).not.toContain(/CapEff:.*/.exec(first)?.[0]);
  });

  test("flags choose user, directory and environment", async () => {
    expect(await says("-u", "1000:50", "box", "id")).toMatch(/^uid=1000 gid=50\b/);
    expect(await says("-u", "1000", "box", "grep", "CapEff", "/proc/self/status")).toMatch(
      /0{16}\n$/,
    );
    expect(await says("-w", "/etc", "box", "pwd")).toBe("/etc\n");
    const path = join(stage.root, "variables");
    writeFileSync(path, "FILE=a\nBOTH=file\n");
    const script = "echo $OWN $FILE $BOTH";
    const flags = ["--env-file", path, "-e", "BOTH=flag", "-e", "OWN=2"];
    expect(await says(...flags, "box", "sh", "-c", script)).toBe("2 a flag\n");
    const unknown = await exec("-u", "nobody", "box", "id");
    expect(unknown).toMatchObject({ status: 126, stdout: "" });
    expect(unknown.stderr).toContain('unknown user "nobody"');
    expect(await exec("-w", "relative", "box", "id")).toMatchObject({ status: 126 });
    expect(await exec("-w", "/nope", "box", "nope")).toMatchObject({ status: 126 });
    expect(await exec("-w", "/etc/passwd", "box", "id")).toMatchObject({ status: 126 });
  });

  test("its exit status is docker's", async () => {
    const status = async (...words: string[]) => (await exec("box", ...words)).status;
    expect(await status("true")).toBe(0);
    expect(await status("sh", "-c", "exit 42")).toBe(42);
    expect(await status("sh", "-c", "kill -9 $$")).toBe(137);
    expect(await status("/etc/passwd")).toBe(126);
    expect(await status("no-such")).toBe(127);
    expect((await exec("no-such", "true")).status).toBe(1);
    await stage.output("create", "--name", "idle", stage.tiny);
    const idle = await exec("idle", "true");
    expect(idle).toMatchObject({ status: 1, stdout: "" });
    expect(idle.stderr).toMatch(/'idle' is not running\n.*tsimg start idle/);
    await stage.output("rm", "idle");
  });

  test("standard input with -i alone; output and error stay apart", async () => {
    const cat = (...flags: string[]) =>
      stage.tsimg(["exec", ...flags, "box", "sh", "-c", "cat; echo error >&2"], { input: "typed" });
    expect(await cat("-i")).toEqual({ status: 0, stdout: "typed", stderr: "error\n" });
    expect(await cat()).toEqual({ status: 0, stdout: "", stderr: "error\n" });
  });

  test("-d leaves it running in the background, and it ends with the container", async () => {
    const script = "exec sleep 1000";
    expect(await stage.output("exec", "-d", "box", "sh", "-c", script)).toBe("");
    await stage.until(async () => (await count(" sleep 1000")) === 1);
    await stage.output("restart", "box");
    expect(await count(" sleep 1000")).toBe(0);
  });

  test("a signal to tsimg is the process's", async () => {
    const script = `trap 'echo term; exit 9' TERM; echo ready; ${LOOP}`;
    const child = stage.start(["exec", "box", "sh", "-c", script]);
    let said = "";
    child.stdout?.on("data", (chunk) => {
      said += chunk;
      if (said === "ready\n") child.kill("SIGTERM");
    });
    expect(await once(child, "close")).toEqual([9, null]);
    expect(said).toBe("ready\nterm\n");
  });

  test("killing tsimg ends what it started", async () => {
    const child = stage.start(["exec", "box", "sh", "-c", "echo ready; exec sleep 2000"]);
    child.stdout?.once("data", () => child.kill("SIGKILL"));
    await once(child, "close");
    await stage.until(async () => (await count(" sleep 2000")) === 0);
  });

  describe.skipIf(terminalReason)(`on a terminal ${terminalReason ?? ""}`, () => {
    test("-it has one of the caller's size, and its status comes back", async () => {
      const script = "tty; stty size; read line; echo got $line; exit 7";
      const screen = await onTerminal(
        stage,
        ["exec", "-it", "box", "sh", "-c", script],
        [
          ["wait", "40 100\r\n"],
          ["type", "typed\n"],
        ],
      );
      expect(screen).toMatch(/^\/dev\/pts\/\d+\n40 100\ntyped\ngot typed\n/);
      expect(screen).toMatch(/\nmode restored\nstatus 7\n$/);
    });

    test("the detach keys leave it running", async () => {
      const script = "echo ready; exec sleep 3000";
      const leave = (keys: string, ...flags: string[]) =>
        onTerminal(
          stage,
          ["exec", "-it", ...flags, "box", "sh", "-c", script],
          [
            ["wait", "ready"],
            ["type", keys],
          ],
        );
      expect(await leave("\x10\x11")).toMatch(/read escape sequence\n\nmode restored\nstatus 0\n$/);
      expect(await leave("\x01x", "--detach-keys", "ctrl-a,x")).toMatch(/status 0\n$/);
      expect(await count(" sleep 3000")).toBe(2);
    });
  });
});
