import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reason, Stage } from "./run-stage.ts";

const LOOP = "while :; do sleep 0.02; done";

describe.skipIf(reason)(`commands for containers ${reason ?? ""}`, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  async function detached(name: string, script: string): Promise<string> {
    return (
      await stage.output("run", "-d", "--name", name, stage.tiny, "sh", "-c", script)
    ).trimEnd();
  }

  const ended = (name: string) =>
    stage.until(async () => (await stage.inspect(name)).State.Status === "exited");

  async function fails(args: readonly string[], words: RegExp, status = 1): Promise<void> {
    const outcome = await stage.tsimg(args);
    expect(outcome).toMatchObject({ status, stdout: "" });
    expect(outcome.stderr).toMatch(words);
  }

  test("annotations are in the spec, the inspection and a bundle", async () => {
    const flags = ["--annotation", "org.example.a=1", "--annotation", "bare"];
    const expected = { "org.example.a": "1", bare: "" };
    await stage.output("create", "--name", "noted", ...flags, stage.tiny);
    const { BundlePath, HostConfig } = await stage.inspect("noted");
    expect(HostConfig).toMatchObject({ Annotations: expected });
    await stage.output("start", "noted");
    const specOf = (directory: string) =>
      JSON.parse(readFileSync(join(directory, "config.json"), "utf8"));
    expect(specOf(BundlePath).annotations).toEqual(expected);
    await stage.output("rm", "-f", "noted");
    const bundle = join(stage.root, "noted");
    await stage.output("bundle", ...flags, stage.tiny, bundle);
    expect(specOf(bundle).annotations).toEqual(expected);
  });

  describe("logs", () => {
    test("tells standard output and error apart, with times and the last lines", async () => {
      await detached("talks", "echo one; sleep 0.1; echo two >&2; sleep 0.1; printf three");
      await ended("talks");
      const all = await stage.tsimg(["logs", "talks"]);
      expect(all).toEqual({ status: 0, stdout: "one\nthree", stderr: "two\n" });
      const last = await stage.tsimg(["logs", "--tail", "2", "talks"]);
      expect(last).toEqual({ status: 0, stdout: "three", stderr: "two\n" });
      expect((await stage.tsimg(["logs", "-n", "0", "talks"])).stdout).toBe("");
      const timed = await stage.tsimg(["logs", "-t", "talks"]);
      expect(timed.stdout).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z one\n\d{4}\S+Z three$/);
      await fails(["logs", "--tail", "some", "talks"], /neither a number of lines nor "all"/);
      await stage.output("rm", "talks");
    });

    test("-f shows what comes and ends with the container", async () => {
      await detached("grows", "echo early; sleep 0.3; echo late");
      expect(await stage.output("logs", "-f", "grows")).toBe("early\nlate\n");
      await stage.output("rm", "grows");
    });

    test("-f ends by Ctrl-C, and when its reader goes", async () => {
      await detached("ticks", "while :; do echo tick; sleep 0.02; done");
      const child = stage.start(["logs", "-f", "ticks"]);
      child.stdout?.once("data", () => child.kill("SIGINT"));
      expect(await once(child, "close")).toEqual([130, null]);
      expect((await stage.shell("$TSIMG logs -f ticks | head -1")).stdout).toBe("tick\n");
      await stage.output("rm", "-f", "ticks");
    });

    test("a terminal's output is in the log, and long lines are whole", async () => {
      await stage.output("run", "-dt", "--name", "tty", stage.tiny, "echo", "on a terminal");
      await ended("tty");
      expect(await stage.output("logs", "tty")).toBe("on a terminal\r\n");
      await stage.output("rm", "tty");
      await detached("long", "head -c 200000 /dev/zero | tr '\\0' x; echo; echo end");
      await ended("long");
      expect(await stage.output("logs", "long")).toBe(`${"x".repeat(200_000)}\nend\n`);
      await stage.output("rm", "long");
    });

    test("a container that ran in the foreground has one, too", async () => {
      const script = "echo seen; echo too >&2";
      const front = ["run", "--name", "front", stage.tiny, "sh", "-c", script];
      expect(await stage.tsimg(front)).toEqual({ status: 0, stdout: "seen\n", stderr: "too\n" });
      expect(await stage.tsimg(["logs", "front"])).toEqual({
        status: 0,
        stdout: "seen\n",
        stderr: "too\n",
      });
      await stage.output("rm", "front");
    });

    test("one that leaves nothing behind has the caller's streams, and no log", async () => {
      const front = stage.start(["run", "--rm", "--name", "front", stage.tiny, "sleep", "60"]);
      await stage.until(async () => (await stage.output("ps", "-q")) !== "");
      await fails(["logs", "front"], /container 'front' has no log/);
      front.kill("SIGKILL");
      await once(front, "exit");
    });
  });

  describe("ps", () => {
    test("lists as docker does", async () => {
      const id = await detached("runs", LOOP);
      await stage.output("run", "--name", "ended", stage.tiny, "sh", "-c", "exit 0");
      const [title, row, none] = (await stage.output("ps")).split("\n");
      expect(title).toMatch(/^CONTAINER ID {3}IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES$/);
      expect(row).toMatch(
        new RegExp(
          `^${id.slice(0, 12)} {3}${stage.tiny} .*"sh -c 'while :; do …".* ago +Up .*runs$`,
        ),
      );
      expect(none).toBe("");
      const all = (await stage.output("ps", "-a")).split("\n");
      expect(all[1]).toMatch(/Exited \(0\) .* ago +ended$/);
      expect(all[2]).toMatch(/runs$/);
      expect(await stage.output("ps", "-q", "--no-trunc")).toBe(`${id}\n`);
      expect((await stage.output("ps", "-aq")).split("\n")).toHaveLength(3);
      expect(await stage.output("ps", "--no-trunc")).toContain(`"sh -c '${LOOP}'"`);
      const json = (await stage.output("ps", "-a", "--format", "json")).trimEnd().split("\n");
      expect(json.map((line) => JSON.parse(line))).toMatchObject([
        { Names: "ended", State: "exited" },
        { Names: "runs", State: "running", ID: id.slice(0, 12), Image: stage.tiny },
      ]);
      expect(await stage.output("ps", "-n", "1", "--format", "{{.Names}}")).toBe("ended\n");
      expect(await stage.output("ps", "--format", "table {{.Names}}\t{{.State}}")).toBe(
        "NAMES   STATE\nruns    running\n",
      );
      await fails(["ps", "--format", "{{.Nmaes}}"], /Nmaes/);
      await stage.output("rm", "-f", "runs", "ended");
    });
  });

  describe("stop and kill", () => {
    test("stop asks, and waits for the end", async () => {
      await detached("polite", `trap 'sleep 0.2; exit 3' TERM; ${LOOP}`);
      expect(await stage.output("stop", "polite")).toBe("polite\n");
      expect((await stage.inspect("polite")).State).toMatchObject({ ExitCode: 3 });
      // One that isn't running is no error, as with docker.
      expect(await stage.output("stop", "polite")).toBe("polite\n");
      await stage.output("rm", "polite");
    });

    test("stop kills what doesn't end in time, with -t 0 at once", async () => {
      await detached("stubborn", `trap '' TERM; ${LOOP}`);
      expect(await stage.output("stop", "-t", "0", "stubborn")).toBe("stubborn\n");
      expect((await stage.inspect("stubborn")).State).toMatchObject({ ExitCode: 137 });
      await stage.output("rm", "stubborn");
      await fails(["stop", "-t", "soon", "x"], /it is a number of seconds/, 125);
    });

    test("kill sends signals by name and number to running containers", async () => {
      await detached("listens", `trap 'echo usr1' USR1; trap 'echo winch' WINCH; ${LOOP}`);
      const log = async (line: string) =>
        stage.until(async () => (await stage.output("logs", "listens")).endsWith(`${line}\n`));
      expect(await stage.output("kill", "-s", "SIGUSR1", "listens")).toBe("listens\n");
      await log("usr1");
      await stage.output("kill", "-s", "28", "listens");
      await log("winch");
      await fails(["kill", "-s", "BANG", "listens"], /invalid signal: 'BANG'/);
      await stage.output("kill", "listens");
      await ended("listens");
      await fails(["kill", "listens"], /container 'listens' is not running/);
      await stage.output("rm", "listens");
    });

    test("one name that is wrong doesn't keep the others", async () => {
      await detached("right", LOOP);
      const { status, stdout, stderr } = await stage.tsimg(["stop", "-t", "0", "wrong", "right"]);
      expect({ status, stdout }).toEqual({ status: 1, stdout: "right\n" });
      expect(stderr).toContain("no such container: 'wrong'");
      await stage.output("rm", "right");
    });
  });

  describe("rm", () => {
    test("needs -f for what runs, and takes IDs and their starts", async () => {
      const id = await detached("stays", LOOP);
      await fails(["rm", "stays"], /container 'stays' is running/);
      expect(await stage.output("rm", "-f", id.slice(0, 6))).toBe(`${id.slice(0, 6)}\n`);
      await fails(["rm", "stays"], /no such container: 'stays'/);
      expect(await stage.output("rm", "-f", "stays")).toBe("");
    });

    test("takes everything of the container away, and no volume", async () => {
      const flags = ["--name", "full", "-v", "keeps:/data"];
      await stage.output("run", ...flags, stage.tiny, "sh", "-c", "echo a >/data/a; echo b >/b");
      const { GraphDriver, BundlePath, Mounts } = await stage.inspect("full");
      const { UpperDir } = GraphDriver.Data;
      expect(existsSync(join(UpperDir, "b"))).toBe(true);
      await stage.output("rm", "full");
      expect(existsSync(UpperDir)).toBe(false);
      expect(existsSync(BundlePath)).toBe(false);
      expect(existsSync(join(Mounts[0]?.Source ?? "", "a"))).toBe(true);
    });

    test("a name can be used once, and again when it is free", async () => {
      await detached("mine", LOOP);
      const again = ["run", "--name", "mine", stage.tiny, "true"];
      await fails(
        again,
        /the container name 'mine' is in use by [0-9a-f]{12}\n.*tsimg rm mine/,
        125,
      );
      await fails(
        ["run", "--name", "not valid", stage.tiny, "true"],
        /invalid container name/,
        125,
      );
      await stage.output("rm", "-f", "mine");
      expect(await stage.output(...again)).toBe("");
      await stage.output("rm", "mine");
    });
  });

  test("inspect shows docker's fields and the driver's paths", async () => {
    const flags = ["--name", "looked-at", "-m", "64m", "--cpus", "1.5", "--read-only"];
    const mounts = ["-v", "data:/data", "-v", `${stage.root}:/host:ro`];
    await stage.output("run", "-d", ...flags, ...mounts, "-e", "A=1", stage.tiny, "sleep", "100");
    const found = await stage.inspect("looked-at");
    expect(found).toMatchObject({
      Id: expect.stringMatching(/^[0-9a-f]{64}$/),
      Name: "/looked-at",
      Path: "sleep",
      Args: ["100"],
      Image: (await stage.output("images", "-q", "--no-trunc")).trimEnd(),
      State: { Running: true, Status: "running", OOMKilled: false, ExitCode: 0 },
      Driver: "overlay2",
      HostConfig: { Memory: 64 * 1024 ** 2, NanoCpus: 1.5e9, ReadonlyRootfs: true },
      Config: { Image: stage.tiny, Env: expect.arrayContaining(["A=1"]), WorkingDir: "/" },
      Mounts: [
        { Type: "volume", Name: "data", Destination: "/data", RW: true },
        { Type: "bind", Source: stage.root, Destination: "/host", RW: false },
      ],
    });
    const pid = found.State.Pid;
    expect((await stage.shell(`cat /proc/${pid}/comm`)).stdout).toBe("sleep\n");
    const { UpperDir, WorkDir, LowerDir, MergedDir } = found.GraphDriver.Data;
    for (const directory of [UpperDir, WorkDir, LowerDir, MergedDir])
      expect(existsSync(directory)).toBe(true);
    const format = ["inspect", "-f", "{{.Name}} {{.State.Pid}} {{json .Args}}", "looked-at"];
    expect(await stage.output(...format)).toBe(`/looked-at ${pid} ["100"]\n`);
    await stage.output("rm", "-f", "looked-at");
    const none = await stage.tsimg(["inspect", "looked-at"]);
    expect(none).toMatchObject({ status: 1, stdout: "[]\n" });
    expect(none.stderr).toContain("no such container, image, network or volume");
  });
});
