import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reason, Stage } from "./run-stage.ts";

const LOOP = "while :; do sleep 0.02; done";

describe.skipIf(reason)(`the life of a container ${reason ?? ""}`, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const shell = (script: string) => [stage.tiny, "sh", "-c", script];
  const status = async (name: string) => (await stage.inspect(name)).State.Status;
  const ended = (name: string) => stage.until(async () => (await status(name)) === "exited");

  async function fails(args: readonly string[], words: RegExp, code = 1): Promise<void> {
    const outcome = await stage.tsimg(args);
    expect(outcome).toMatchObject({ status: code, stdout: "" });
    expect(outcome.stderr).toMatch(words);
  }

  test("created, then started in front: its streams, its status, again and again", async () => {
    const script =
      "read line; echo got $line; echo error >&2; echo a >>/kept; exit $(wc -l </kept)";
    const id = await stage.output("create", "-i", "--name", "made", ...shell(script));
    expect(id).toMatch(/^[0-9a-f]{64}\n$/);
    expect(await status("made")).toBe("created");
    const start = (...flags: string[]) =>
      stage.tsimg(["start", ...flags, "made"], { input: "typed\n" });
    expect(await start("-ai")).toEqual({ status: 1, stdout: "got typed\n", stderr: "error\n" });
    expect(await start("-a")).toEqual({ status: 2, stdout: "got\n", stderr: "error\n" });
    expect(await stage.output("logs", "--tail", "0", "made")).toBe("");
    const logs = await stage.tsimg(["logs", "made"]);
    expect(logs).toEqual({ status: 0, stdout: "got typed\ngot\n", stderr: "error\nerror\n" });
    await fails(["start", "-a", "made", "made"], /one container can be attached to/);
    await fails(["start"], /no container named/);
    await stage.output("rm", "made");
  });

  test("start takes several, and one that runs already is no error", async () => {
    await stage.output("create", "--name", "one", ...shell(LOOP));
    await stage.output("create", "--name", "two", ...shell(LOOP));
    const both = await stage.tsimg(["start", "one", "wrong", "two"]);
    expect(both).toMatchObject({ status: 1, stdout: "one\ntwo\n" });
    expect(both.stderr).toContain("no such container: 'wrong'");
    const { Pid } = (await stage.inspect("one")).State;
    expect(await stage.output("start", "one")).toBe("one\n");
    expect((await stage.inspect("one")).State.Pid).toBe(Pid);
    // Of one that runs, the output from then on, as with attach.
    const attached = stage.tsimg(["start", "-a", "one"]);
    await stage.until(async () => (await stage.shell("pgrep -f '[-]-attach'")).status === 0);
    await stage.output("kill", "one");
    expect(await attached).toEqual({ status: 137, stdout: "", stderr: "" });
    await stage.output("rm", "-f", "one", "two");
  });

  test("several commands that start one at once all succeed", async () => {
    await stage.output("create", "--name", "wanted", ...shell(LOOP));
    const starts = [1, 2, 3, 4].map(() => stage.output("start", "wanted"));
    expect(await Promise.all(starts)).toEqual(starts.map(() => "wanted\n"));
    await stage.output("rm", "-f", "wanted");
  });

  test("start --all starts what doesn't run and fits", async () => {
    await stage.output("create", "--name", "plain", ...shell(LOOP));
    await stage.output("create", "--name", "service", "--restart", "always", ...shell(LOOP));
    const filter = ["--filter", "restart-policy=always"];
    expect(await stage.output("start", "--all", ...filter)).toBe("service\n");
    expect(await stage.output("start", "--all")).toBe("plain\n");
    await fails(["start", "--all", "--filter", "color=red"], /unknown filter "color=red"/);
    await stage.output("rm", "-f", "plain", "service");
  });

  test("restart keeps what was written, and asks with the signal that is wanted", async () => {
    const script = `echo a >>/kept; trap 'echo int; exit 1' INT; trap 'echo term; exit 2' TERM; ${LOOP}`;
    await stage.output("run", "-d", "--name", "again", ...shell(script));
    const logged = (text: string) =>
      stage.until(async () => (await stage.output("logs", "again")) === text);
    const armed = (count: number) =>
      stage.until(async () =>
        (await stage.output("exec", "again", "wc", "-l", "/kept")).startsWith(`${count}`),
      );
    await armed(1);
    expect(await stage.output("restart", "again")).toBe("again\n");
    await logged("term\n");
    await armed(2);
    expect(await stage.output("restart", "-s", "INT", "again")).toBe("again\n");
    await logged("term\nint\n");
    await armed(3);
    await stage.output("stop", "--signal", "SIGINT", "--timeout", "5", "again");
    expect((await stage.inspect("again")).State).toMatchObject({ ExitCode: 1 });
    await fails(["stop", "-s", "BANG", "again"], /invalid signal: 'BANG'/);
    await stage.output("rm", "again");
  });

  test("a container that is removed when it stops can't be restarted, and stays up", async () => {
    await stage.output("run", "-d", "--rm", "--name", "brief", ...shell(LOOP));
    await fails(["restart", "brief"], /'brief' is removed when it stops/);
    expect(await stage.output("ps", "--format", "{{.Names}}")).toBe("brief\n");
    await stage.output("rm", "-f", "brief");
  });

  test("wait prints the status of what ended, ends, and is removed as it ends", async () => {
    await stage.output("run", "-d", "--name", "first", ...shell("exit 4"));
    await stage.output("run", "-d", "--name", "second", ...shell("sleep 0.5; exit 5"));
    expect(await stage.output("wait", "first", "second", "first")).toBe("4\n5\n4\n");
    await stage.output("rm", "first", "second");
    await fails(["wait", "gone-for-long"], /no such container/);
  });

  test.each([
    ["in the background", ["-d"]],
    ["in front, without a log", []],
    ["with a volume, which tsimg removes", ["-v", "/data"]],
  ])("wait gives the status of what is removed as it ends: %s", async (_, flags) => {
    const script = "until test -e /go; do sleep 0.02; done; exit 6";
    const run = stage.tsimg(["run", "--rm", ...flags, "--name", "gone", ...shell(script)]);
    const isUp = async () => (await stage.tsimg(["exec", "gone", "true"])).status === 0;
    await stage.until(isUp);
    const waiting = [stage.output("wait", "gone"), stage.output("wait", "gone")];
    const waits = async () => {
      const held = await stage.shell("ls -l /proc/[0-9]*/fd 2>/dev/null | grep -c '[.]ended$'");
      return held.stdout === "2\n";
    };
    await stage.until(waits);
    // It may end before the exec does.
    await stage.tsimg(["exec", "gone", "touch", "/go"]);
    expect(await Promise.all(waiting)).toEqual(["6\n", "6\n"]);
    expect((await run).status).toBe(flags.includes("-d") ? 0 : 6);
  });

  test("rename frees the old name, and takes none that is taken", async () => {
    const id = (await stage.output("run", "-d", "--name", "old", ...shell(LOOP))).trimEnd();
    await stage.output("create", "--name", "taken", stage.tiny);
    await fails(["rename", "old", "taken"], /name 'taken' is in use/);
    await fails(["rename", "old", "not valid"], /invalid container name/);
    expect(await stage.output("rename", "old", "new")).toBe("");
    expect(await stage.inspect("new")).toMatchObject({ Id: id, Name: "/new" });
    await fails(["rename", "old", "other"], /no such container: 'old'/);
    await stage.output("rm", "-f", "new", "taken");
  });

  test("labels come from files and flags, IDs go to files", async () => {
    const path = (name: string) => join(stage.root, name);
    writeFileSync(path("labels"), "# comment\n\nfrom=file\nboth=file\n");
    const labels = ["--label-file", path("labels"), "-l", "both=flag", "-l", "bare"];
    const files = ["--cidfile", path("cid"), "--pidfile", path("pid")];
    const args = ["run", "-d", "--name", "marked", ...labels, ...files, ...shell(LOOP)];
    const id = (await stage.output(...args)).trimEnd();
    const found = await stage.inspect("marked");
    expect(found).toMatchObject({ Config: { Labels: { from: "file", both: "flag", bare: "" } } });
    expect(readFileSync(path("cid"), "utf8")).toBe(id);
    expect(readFileSync(path("pid"), "utf8").trim()).toBe(String(found.State.Pid));
    await fails(["run", "--cidfile", path("cid"), stage.tiny], /--cidfile: '.*' exists/, 125);
    await fails(["run", "--label", "=x", stage.tiny], /a label without a name/, 125);
    await stage.output("rm", "-f", "marked");
  });

  test("what is paused takes no exec, and can be stopped and killed", async () => {
    await stage.output("run", "-d", "--name", "frozen", ...shell(`trap 'exit 3' TERM; ${LOOP}`));
    await stage.output("pause", "frozen");
    await fails(["exec", "frozen", "true"], /'frozen' is paused\n.*tsimg unpause frozen/);
    await fails(["pause", "frozen"], /already paused/);
    await stage.output("stop", "frozen");
    expect((await stage.inspect("frozen")).State).toMatchObject({ ExitCode: 3 });
    await fails(["unpause", "frozen"], /is not running/);
    await stage.output("start", "frozen");
    await stage.output("pause", "frozen");
    await stage.output("kill", "frozen");
    await ended("frozen");
    await stage.output("rm", "frozen");
  });

  test("events tell a life in its order", async () => {
    const name = "told";
    await stage.output("create", "--name", name, ...shell(`trap 'exit 3' TERM; ${LOOP}`));
    await stage.output("start", name);
    await stage.output("pause", name);
    await stage.output("unpause", name);
    await stage.output("kill", "-s", "WINCH", name);
    await stage.output("stop", name);
    await stage.output("rm", name);
    const filter = ["--filter", `container=${name}`, "--format", "json"];
    const told = await stage.output("events", "--since", "10m", "--until", "0s", ...filter);
    const lines = told.trimEnd().split("\n");
    const actions = lines.map((line) => [
      JSON.parse(line).Action,
      JSON.parse(line).Actor.Attributes.exitCode,
    ]);
    expect(actions).toEqual([
      ...["create", "start", "pause", "unpause", "kill", "kill"].map((it) => [it, undefined]),
      ["die", "3"],
      ...["stop", "destroy"].map((action) => [action, undefined]),
    ]);
    await fails(["events", "--filter", "color=red"], /invalid filter "color=red"/);
  });

  test.each([
    ["in the background", ["-d"]],
    ["in front", []],
    ["with a volume", ["-v", "/data"]],
  ])("events tell the end of what is removed as it ends: %s", async (_, flags) => {
    await stage.tsimg(["run", "--rm", ...flags, "--name", "brief", ...shell("exit 7")]);
    await stage.until(async () => (await stage.output("ps", "-aq")) === "");
    const filter = ["--filter", "container=brief", "--filter", "event=die"];
    const format = "{{.Action}} {{.Actor.Attributes.exitCode}}";
    const told = () => {
      return stage.output(
        "events",
        "--since",
        "10m",
        "--until",
        "0s",
        ...filter,
        "--format",
        format,
      );
    };
    expect((await told()).split("\n").at(-2)).toBe("die 7");
    const all = await stage.output("events", "--since", "10m", "--until", "0s");
    const ends = all.split("\n").filter((line) => line.includes("name=brief"));
    expect(ends.slice(-4).map((line) => line.split(" ")[2])).toEqual([
      ...["create", "start", "die", "destroy"],
    ]);
  });

  test("containers join each other's processes, network, memory, names and clocks", async () => {
    const ahead = ["--hostname", "hosts", "--time", "boottime=864000"];
    await stage.output("run", "-d", "--name", "host", ...ahead, ...shell(LOOP));
    const { Pid } = (await stage.inspect("host")).State;
    const namespace = async (...flags: string[]) => {
      const readlinks = "for ns in pid net ipc uts time; do readlink /proc/self/ns/$ns; done";
      return (await stage.run(flags, readlinks)).stdout.split("\n").slice(0, 5);
    };
    const links = `for ns in pid net ipc uts time; do readlink /proc/${Pid}/ns/$ns; done`;
    const hosts = (await stage.shell(links)).stdout.split("\n").slice(0, 5);
    const each = ["pid", "network", "ipc", "uts", "time"];
    const joined = each.flatMap((name) => [`--${name}`, "container:host"]);
    expect(await namespace(...joined)).toEqual(hosts);
    const names = ["--uts", "container:host", "--cap-add", "SYS_ADMIN"];
    expect((await stage.run(names, "hostname; echo $HOSTNAME; hostname new")).stdout).toBe(
      "hosts\nhosts\n",
    );
    expect(await stage.output("exec", "host", "hostname")).toBe("new\n");
    const { stdout } = await stage.run(["--time", "container:host"], "cat /proc/uptime");
    const entered = await stage.output("exec", "host", "cat", "/proc/uptime");
    for (const uptime of [stdout, entered])
      expect(Number(uptime.split(".")[0])).toBeGreaterThan(864_000);
    for (const [index, link] of (await namespace()).entries()) expect(link).not.toBe(hosts[index]);
    await stage.output("create", "--name", "guest", "--pid", "container:host", ...shell("true"));
    await stage.output("rm", "-f", "host");
    await fails(["start", "guest"], /no such container/);
    await stage.output("rm", "guest");
  });

  test("few open files are enough to start with", async () => {
    const limited = await stage.run(["--ulimit", "nofile=5"], "ulimit -n");
    expect(limited).toEqual({ status: 0, stdout: "5\n", stderr: "" });
  });
});
