import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reason, Stage } from "./run-stage.ts";

describe.skipIf(reason)(`what the end of a container leads to ${reason ?? ""}`, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const run = (...args: string[]) => stage.output("run", "-d", "--name", "it", ...args);
  const actions = async () => {
    const format = ["--since", "1h", "--until", "0s", "--format", "{{.Action}}"];
    const text = await stage.output("events", ...format, "--filter", "container=it");
    return text.trimEnd().split("\n");
  };

  test("a container that is killed is not started again, whatever its policy", async () => {
    await run("--restart", "always", stage.tiny, "sleep", "1000");
    await stage.output("kill", "it");
    await stage.until(async () => (await stage.inspect("it")).State.Status === "exited");
    // Its launcher's place is taken by what would start it: gone, it can't any more.
    await stage.until(async () => (await stage.output("ps", "-q")) === "");
    expect((await stage.inspect("it")).State.Status).toBe("exited");
    await stage.output("rm", "it");
  });

  test("one that survives a signal keeps its policy", async () => {
    const script = "trap 'echo hup' HUP; trap 'exit 4' USR1; while :; do sleep 0.02; done";
    await run("--restart", "on-failure:1", stage.tiny, "sh", "-c", script);
    await stage.output("kill", "-s", "HUP", "it");
    await stage.until(async () => (await stage.output("logs", "it")) === "hup\n");
    await stage.output("kill", "-s", "USR1", "it");
    const restarts = () => stage.output("inspect", "--format", "{{.RestartCount}}", "it");
    await stage.until(async () => (await restarts()) === "1\n");
    await stage.output("rm", "-f", "it");
  });

  test("events tell of a removal by force from beginning to end", async () => {
    const before = (await actions()).length;
    await run(stage.tiny, "sleep", "1000");
    await stage.output("rm", "-f", "it");
    expect((await actions()).slice(before)).toEqual(["create", "start", "kill", "die", "destroy"]);
  });

  test("a name that is taken leaves no file with an ID", async () => {
    await run(stage.tiny, "true");
    const cidfile = join(stage.root, "cid");
    const args = ["create", "--name", "it", "--cidfile", cidfile, stage.tiny];
    expect((await stage.tsimg(args)).status).toBe(1);
    expect(existsSync(cidfile)).toBe(false);
    await stage.output("rm", "-f", "it");
  });

  const SHELL = "sleep 1000 & wait";
  test.each<[string, readonly string[], readonly (readonly string[])[]]>([
    ["processes in the host's namespace", ["--pid", "host"], []],
    ["a container that is paused", [], [["pause", "it"]]],
    ["one that is removed as it ends", ["--rm", "--pid", "host"], []],
  ])("%s: a look ends what a killed launcher has left", async (_what, flags, before) => {
    await run(...flags, stage.tiny, "sh", "-c", SHELL);
    for (const line of before) await stage.output(...line);
    const { BundlePath, State } = await stage.inspect("it");
    const record = readFileSync(join(BundlePath, "started.json"), "utf8");
    const { launcher } = JSON.parse(record) as { launcher: number };
    const groups = readFileSync(`/proc/${State.Pid}/cgroup`, "utf8")
      .split("\n")
      .map((line) => line.split(":"))
      .filter(([, , path = ""]) => path.includes("tsimg"))
      .map(([, name = "", path = ""]) => `/sys/fs/cgroup/${name || "unified"}${path}`);
    expect(groups.length).toBeGreaterThan(0);
    process.kill(launcher, "SIGKILL");
    const removed = flags.includes("--rm");
    await stage.until(async () => (await stage.output("ps", "-q")) === "");
    // A group goes when no process is left in it.
    expect(groups.filter((group) => existsSync(group))).toEqual([]);
    expect((await stage.output("ps", "-aq")) === "").toBe(removed);
    if (removed) return;
    const end = await stage.output("inspect", "-f", "{{.State.ExitCode}} {{.State.Status}}", "it");
    expect(end).toBe("137 exited\n");
    await stage.output("rm", "it");
  });

  test("groups that a container made below its own go with it", async () => {
    const below = "mkdir /sys/fs/cgroup/freezer/sub /sys/fs/cgroup/freezer/sub/sub; sleep 1000";
    await run("--privileged", stage.tiny, "sh", "-c", below);
    const id = await stage.output("inspect", "-f", "{{.Id}}", "it");
    const group = `/sys/fs/cgroup/freezer/tsimg/${id.trimEnd()}`;
    await stage.until(async () => existsSync(`${group}/sub/sub`));
    await stage.output("rm", "-f", "it");
    expect(existsSync(group)).toBe(false);
  });

  test("after a reboot all have ended, and those that shall run are started by one line", async () => {
    const store = stage.env["TSIMG_ROOT"] ?? "";
    await run("--restart", "always", stage.tiny, "sleep", "1000");
    await stage.output("create", "--name", "new", stage.tiny, "sleep", "1000");
    const again = ["create", "--name", "again", "--restart", "always", stage.tiny, "sleep", "1000"];
    await stage.output(...again);
    await stage.output("start", "again");
    // No policy may act: as when the machine goes down, the launchers die first.
    for (const name of ["it", "again"]) killLauncher((await stage.inspect(name)).State.Pid);
    rmSync(join(store, "run"), { recursive: true });
    using database = new DatabaseSync(join(store, "tsimg.db"));
    for (const column of ["owner", "starter"])
      database.exec(
        `update containers set ${column} = substr(${column}, 1, length(${column}) - 36) || 'earlier'`,
      );
    const shown = await stage.output("ps", "-a", "--format", "{{.Names}} {{.Status}}");
    expect(shown).toMatch(/^it Exited \(255\)/m);
    expect(shown).toMatch(/^again Exited \(255\)/m);
    expect(shown).toMatch(/^new Created/m);
    await stage.output("start", "--all", "--filter", "restart-policy=always");
    const running = await stage.output("ps", "--format", "{{.Names}}");
    expect(running.trim().split("\n").toSorted()).toEqual(["again", "it"]);
    await stage.output("rm", "-f", "it", "again", "new");
  });
});

/** The launcher is the parent of the container's first process. */
function killLauncher(pid: number): void {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  process.kill(Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]), "SIGKILL");
}
