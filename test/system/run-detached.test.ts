import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missing } from "../peers/requirements.ts";
import { groupsOf, reason, Stage } from "./run-stage.ts";

const LOOP = "while :; do sleep 0.02; done";

describe.skipIf(reason)(`how a container ends ${reason ?? ""}`, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  test("exit statuses are docker's", async () => {
    const status = async (...words: string[]) =>
      (await stage.tsimg(["run", "--rm", stage.tiny, ...words])).status;
    expect(await status("true")).toBe(0);
    expect(await status("sh", "-c", "exit 42")).toBe(42);
    expect(await status("sh", "-c", "sh -c 'kill -TERM $$'; exit $?")).toBe(143);
    expect(await status("/etc/passwd")).toBe(126);
    expect(await status("/etc")).toBe(126);
    expect(await status("/no/such")).toBe(127);
    expect((await stage.tsimg(["run", "--rm", "--no-such", stage.tiny])).status).toBe(125);
  });

  test("what can't be started keeps its name until it is removed", async () => {
    const args = ["run", "-d", "--name", "again", stage.tiny];
    const failed = await stage.tsimg([...args, "no-such"]);
    expect(failed).toMatchObject({ status: 127, stdout: "" });
    await stage.output("rm", "again");
    expect(await stage.output("ps", "-aq")).toBe("");
  });

  const untraced = missing(["strace"]);
  test.skipIf(untraced)(
    `one whose end is known costs the next no look ${untraced ?? ""}`,
    async () => {
      const id = (await stage.output("run", "-d", stage.tiny, "true")).trimEnd();
      await stage.until(async () => (await stage.inspect(id)).State.Status === "exited");
      const trace = join(stage.root, "trace");
      const strace = `strace -f -s 256 -o ${trace} -e trace=open,openat,statx`;
      const { status } = await stage.shell(`${strace} $TSIMG run --rm ${stage.tiny} true`);
      expect(status).toBe(0);
      const looks = readFileSync(trace, "utf8").split("\n");
      expect(looks.filter((line) => line.includes("started.json"))).not.toEqual([]);
      expect(looks.filter((line) => line.includes(id))).toEqual([]);
      await stage.output("rm", id);
    },
  );

  test("no control group is left, however it ends", async () => {
    const ends = ["exit 0", "exit 3", "kill -9 -1; sleep 1", "sleep 100 & exit 0", LOOP];
    const outcomes = ends.map(async (end) => {
      const args = ["run", "--rm", "--init", "-m", "64m", stage.tiny, "sh", "-c"];
      const child = stage.start([...args, `hostname; ${end}`]);
      const [chunk] = await once(child.stdout ?? child, "data");
      const name = String(chunk).trim();
      if (end === LOOP) child.kill("SIGTERM");
      await once(child, "close");
      return { name, groups: groupsOf(name) };
    });
    for (const { name, groups } of await Promise.all(outcomes)) {
      expect(name).toMatch(/^[0-9a-f]{12}$/);
      expect(groups).toEqual([]);
    }
  });

  test("a signal to tsimg is the container's, and the status what it makes of it", async () => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGUSR1"] as const) {
      const script = `trap 'echo ${signal}; exit 33' ${signal.slice(3)}; echo ready; ${LOOP}`;
      const child = stage.start(["run", "--rm", stage.tiny, "sh", "-c", script]);
      let said = "";
      child.stdout?.on("data", (chunk) => {
        said += chunk;
        if (said === "ready\n") child.kill(signal);
      });
      expect(await once(child, "close")).toEqual([33, null]);
      expect(said).toBe(`ready\n${signal}\n`);
    }
  });

  test("a command that doesn't care dies of the signal: 128 and its number", async () => {
    // Not as process 1, which the kernel shields.
    const args = ["run", "--rm", "--init", stage.tiny, "sh", "-c", `echo ready; ${LOOP}`];
    const child = stage.start(args);
    child.stdout?.once("data", () => child.kill("SIGTERM"));
    expect(await once(child, "close")).toEqual([143, null]);
  });

  test("standard input is passed on with -i, and empty without", async () => {
    const cat = (flags: string[]) =>
      stage.tsimg(["run", "--rm", ...flags, stage.tiny, "cat"], { input: "a\nb" });
    expect(await cat(["-i"])).toEqual({ status: 0, stdout: "a\nb", stderr: "" });
    expect(await cat([])).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  test("standard output and error stay apart, and all of it arrives", async () => {
    const script = "seq 1 20000; echo error >&2";
    const { status, stdout, stderr } = await stage.run([], script);
    expect({ status, stderr, lines: stdout.split("\n").length }).toEqual({
      status: 0,
      stderr: "error\n",
      lines: 20_001,
    });
  });

  test("a reader that goes away ends the container", async () => {
    const line = `$TSIMG run --rm ${stage.tiny} sh -c 'yes || exit 9' | head -1`;
    const { stdout } = await stage.shell(line);
    expect(stdout).toBe("y\n");
    expect(await stage.output("ps", "-aq")).toBe("");
  });

  test("a container of -d outlives tsimg, costs one small process, and keeps its end", async () => {
    const args = ["run", "-d", "--name", "web", stage.tiny, "sh", "-c"];
    const id = (await stage.output(...args, `trap 'exit 3' TERM; ${LOOP}`)).trimEnd();
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    const { State } = await stage.inspect("web");
    expect(State).toMatchObject({ Status: "running", Running: true, ExitCode: 0 });
    await stage.output("kill", "-s", "TERM", "web");
    await stage.until(async () => (await stage.output("ps", "-q")) === "");
    const after = await stage.inspect("web");
    expect(after.State).toMatchObject({ Status: "exited", ExitCode: 3, Pid: 0 });
    await stage.output("rm", "web");
  });

  test("a container of -d --rm is gone when it has ended", async () => {
    await stage.output("run", "-d", "--rm", "--name", "brief", stage.tiny, "true");
    await stage.until(async () => (await stage.output("ps", "-aq")) === "");
    expect(await stage.output("run", "--rm", "--name", "brief", stage.tiny, "echo", "a")).toBe(
      "a\n",
    );
  });

  test("-itd keeps a shell waiting", async () => {
    await stage.output("run", "-itd", "--name", "idle", stage.tiny);
    expect(await stage.output("ps", "--format", "{{.Names}} {{.State}}")).toBe("idle running\n");
    await stage.output("rm", "-f", "idle");
  });

  test("a container whose launcher is killed is seen as killed", async () => {
    const script = `echo $$; ${LOOP}`;
    await stage.output("run", "-d", "--name", "orphan", stage.tiny, "sh", "-c", script);
    const { BundlePath } = await stage.inspect("orphan");
    const [pid = ""] =
      /\d+/.exec((await stage.shell(`pgrep -f '${BundlePath}/tape$'`)).stdout) ?? [];
    process.kill(Number(pid), "SIGKILL");
    await stage.until(async () => (await stage.output("ps", "-q")) === "");
    const { State } = await stage.inspect("orphan");
    expect(State).toMatchObject({ Status: "exited", ExitCode: 137 });
    await stage.output("rm", "orphan");
  });
});
