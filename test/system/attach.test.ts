import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reason, Stage } from "./run-stage.ts";
import { onTerminal, type Step, terminalReason } from "./support/on-terminal.ts";

const LOOP = "while :; do sleep 0.02; done";
const KEYS = "\x10\x11";

describe.skipIf(reason)(`tsimg attach ${reason ?? ""}`, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const shell = (script: string) => [stage.tiny, "sh", "-c", script];
  const run = (name: string, ...rest: string[]) =>
    stage.output("run", "-d", "--name", name, ...rest);

  test("several see the output, and get the exit status", async () => {
    await run(
      "talks",
      ...shell("until test -e /go; do sleep 0.02; done; echo out; echo err >&2; exit 5"),
    );
    const clients = [
      stage.start(["attach", "talks"]),
      stage.start(["attach", "--no-stdin", "talks"]),
    ];
    const said = clients.map(async (client) => {
      let [out, err] = ["", ""];
      client.stdout?.on("data", (chunk) => (out += chunk));
      client.stderr?.on("data", (chunk) => (err += chunk));
      const [status] = await once(client, "close");
      return { out, err, status };
    });
    const { BundlePath } = await stage.inspect("talks");
    const asking = `pgrep -fc -- '[-]-attach ${BundlePath}/'`;
    await stage.until(async () => (await stage.shell(asking)).stdout === "2\n");
    await stage.tsimg(["exec", "talks", "touch", "/go"]);
    const all = { out: "out\n", err: "err\n", status: 5 };
    expect(await Promise.all(said)).toEqual([all, all]);
    await stage.output("rm", "talks");
  });

  test("input reaches a container of -i, and its end leaves the container running", async () => {
    await run("listens", "-i", ...shell("while read line; do echo got $line; done"));
    const attached = stage.tsimg(["attach", "listens"], { input: "typed\n" });
    const heard = async () => (await stage.output("logs", "listens")) === "got typed\n";
    await stage.until(heard);
    expect(await stage.output("ps", "--format", "{{.Names}}")).toBe("listens\n");
    await stage.output("kill", "listens");
    expect((await attached).status).toBe(137);
    await stage.output("rm", "listens");
  });

  test("a client whose reader goes away leaves; the container stays", async () => {
    await run("ticks", ...shell("while :; do echo tick; sleep 0.02; done"));
    expect((await stage.shell("$TSIMG attach ticks | head -1")).stdout).toBe("tick\n");
    expect(await stage.output("ps", "--format", "{{.Names}}")).toBe("ticks\n");
    await stage.output("rm", "-f", "ticks");
  });

  test("signals are the container's, or with --sig-proxy=false the client's own end", async () => {
    await run("signalled", ...shell(`trap 'exit 6' TERM; while :; do echo tick; sleep 0.02; done`));
    const attach = async (...flags: string[]) => {
      const client = stage.start(["attach", ...flags, "signalled"]);
      client.stdout?.once("data", () => client.kill("SIGTERM"));
      client.stdout?.resume();
      return (await once(client, "close"))[0];
    };
    expect(await attach("--sig-proxy=false")).toBe(143);
    expect(await stage.output("ps", "--format", "{{.Names}}")).toBe("signalled\n");
    expect(await attach()).toBe(6);
    await stage.output("rm", "signalled");
  });

  const BOTH = "echo out; echo err >&2";

  test.each([
    { flags: ["-a", "stdout"], shown: { stdout: "out\n", stderr: "" } },
    { flags: ["-a", "STDERR"], shown: { stdout: "", stderr: "err\n" } },
    { flags: ["-a", "stderr", "-u", "5"], shown: { stdout: "", stderr: "err\n" } },
    { flags: ["-a", "stdout", "--sig-proxy=false"], shown: { stdout: "out\n", stderr: "" } },
  ])("run $flags shows no other stream, and the log has both", async ({ flags, shown }) => {
    const outcome = await stage.run(flags, `${BOTH}; exit 3`);
    expect(outcome).toEqual({ status: 3, ...shown });
    const logged = await stage.tsimg(["run", "--name", "logged", ...flags, ...shell(BOTH)]);
    expect(logged).toEqual({ status: 0, ...shown });
    const logs = await stage.tsimg(["logs", "logged"]);
    expect(logs).toMatchObject({ stdout: "out\n", stderr: "err\n" });
    await stage.output("rm", "logged");
  });

  test("run -i -a stdin shows nothing and gives its input", async () => {
    for (const flags of [[], ["--sig-proxy=false"]]) {
      const script = shell("cat; echo end; exit 4");
      const args = ["run", "-i", "-a", "stdin", ...flags, "--name", "fed", ...script];
      const outcome = await stage.tsimg(args, { input: "typed\n" });
      expect(outcome).toEqual({ status: 4, stdout: "", stderr: "" });
      expect(await stage.output("logs", "fed")).toBe("typed\nend\n");
      await stage.output("rm", "fed");
    }
  });

  test("run --sig-proxy=false: a signal ends the caller's side alone", async () => {
    const script = "trap 'exit 6' TERM; while :; do echo tick; sleep 0.02; done";
    const flags = ["--rm", "--name", "kept", "--sig-proxy=false"];
    const front = stage.start(["run", ...flags, ...shell(script)]);
    front.stdout?.once("data", () => front.kill("SIGTERM"));
    front.stdout?.resume();
    expect((await once(front, "close"))[0]).toBe(143);
    expect(await stage.output("ps", "--format", "{{.Names}}")).toBe("kept\n");
    const attached = stage.start(["attach", "kept"]);
    attached.stdout?.once("data", () => attached.kill("SIGTERM"));
    attached.stdout?.resume();
    expect((await once(attached, "close"))[0]).toBe(6);
  });

  test("what doesn't run, or has its starter's streams, is refused", async () => {
    const refused = async (name: string) => {
      const outcome = await stage.tsimg(["attach", name]);
      expect(outcome).toMatchObject({ status: 1, stdout: "" });
      return outcome.stderr;
    };
    await stage.output("create", "--name", "idle", stage.tiny);
    expect(await refused("idle")).toMatch(/'idle' is not running\n.*tsimg start idle/);
    await stage.output("rm", "idle");
    const front = stage.start(["run", "--rm", "--name", "front", ...shell(`echo ready; ${LOOP}`)]);
    await once(front.stdout ?? front, "data");
    expect(await refused("front")).toContain("has the streams of who started it");
    front.kill("SIGKILL");
    await once(front, "exit");
    await stage.tsimg(["rm", "-f", "front"]);
    expect(await refused("front-for-long")).toContain("no such container");
  });

  describe.skipIf(terminalReason)(`on a terminal ${terminalReason ?? ""}`, () => {
    const typed = (line: string): Step => ["type", line];
    const echo: readonly Step[] = [typed("echo $((40+2))\n"), ["wait", "42\r\n"]];

    test("run -it is left by its keys, attached to again, and keeps its status", async () => {
      const args = ["run", "-it", "--name", "left", stage.tiny, "sh"];
      const left = await onTerminal(stage, args, [["wait", "# "], ...echo, typed(KEYS)]);
      expect(left).toMatch(/read escape sequence\n\nmode restored\nstatus 0\n$/);
      const attach = ["attach", "left"];
      expect(await onTerminal(stage, attach, [...echo, typed(KEYS)])).toMatch(/status 0\n$/);
      expect(await onTerminal(stage, attach, [typed("exit 8\n")])).toMatch(
        /mode restored\nstatus 8\n$/,
      );
      expect(await stage.output("wait", "left")).toBe("8\n");
      expect(await stage.output("logs", "left")).toContain("42\r\n");
      const again = await onTerminal(
        stage,
        ["start", "-ai", "left"],
        [["wait", "# "], typed("exit 9\n")],
      );
      expect(again).toMatch(/mode restored\nstatus 9\n$/);
      await stage.output("rm", "left");
    });

    test("the container's own keys hold, and a command line's over them", async () => {
      const flags = ["-it", "--detach-keys", "ctrl-a,x"];
      await run("keys", ...flags, stage.tiny, "sh");
      const leave = (keys: string, ...words: string[]) =>
        onTerminal(stage, ["attach", ...words, "keys"], [...echo, typed(keys)]);
      expect(await leave("\x01x")).toMatch(/status 0\n$/);
      // What begins like the keys and isn't them arrives.
      const steps = [typed("\x01"), ...echo, typed("\x01x")];
      expect(await onTerminal(stage, ["attach", "keys"], steps)).toMatch(/status 0\n$/);
      expect(await leave("q", "--detach-keys", "q")).toMatch(/status 0\n$/);
      await stage.output("rm", "-f", "keys");
      const wrong = await stage.tsimg(["run", "--rm", "--detach-keys", "f13", stage.tiny, "true"]);
      expect(wrong).toMatchObject({ status: 125, stdout: "" });
    });

    test("run -it --rm that was left is removed when it ends", async () => {
      const args = ["run", "-it", "--rm", "--name", "fleeting", stage.tiny, "sh"];
      await onTerminal(stage, args, [["wait", "# "], typed(KEYS)]);
      expect(await stage.output("ps", "--format", "{{.Names}}")).toBe("fleeting\n");
      await onTerminal(stage, ["attach", "fleeting"], [typed("exit\n")]);
      await stage.until(async () => (await stage.output("ps", "-aq")) === "");
    });
  });
});
