import { spawnSync } from "node:child_process";
import { renameSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reason, Stage } from "./run-stage.ts";

const LOOP = "while :; do sleep 0.02; done";

describe.skipIf(reason)(`restart policies ${reason ?? ""}`, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const run = (name: string, policy: string, script: string) =>
    stage.output("run", "-d", "--name", name, "--restart", policy, stage.tiny, "sh", "-c", script);
  const shown = async (name: string, template: string) =>
    (await stage.output("inspect", "-f", template, name)).trimEnd();
  const status = (name: string) => shown(name, "{{.State.Status}}");
  const configOf = (id: string) => {
    return join(stage.env["TSIMG_ROOT"] ?? "", "containers", id, "config.json");
  };
  const restarts = async (name: string) => Number(await shown(name, "{{.RestartCount}}"));

  test("on-failure:2 tries as often, and logs -f follows it to the last end", async () => {
    await run("fails", "on-failure:2", "echo try; exit 3");
    expect(await stage.output("logs", "-f", "fails")).toBe("try\ntry\ntry\n");
    expect(await stage.output("wait", "fails")).toBe("3\n");
    expect(await shown("fails", "{{.RestartCount}} {{.State.Status}}")).toBe("2 exited");
    const told = await stage.output(
      "events",
      "--since",
      "10m",
      "--until",
      "0s",
      "--format",
      "{{.Action}}",
    );
    const actions = told.split("\n").filter((action) => action === "start" || action === "die");
    expect(actions.toSorted()).toEqual(["die", "die", "die", "start", "start", "start"]);
    await stage.output("rm", "fails");
  });

  test("on-failure leaves what ended well", async () => {
    await run("fine", "on-failure", "exit 0");
    expect(await stage.output("wait", "fine")).toBe("0\n");
    expect(await restarts("fine")).toBe(0);
    await stage.output("rm", "fine");
  });

  test("always starts again, whatever the status, until it is stopped", async () => {
    await run("eager", "always", "exit 0");
    await stage.until(async () => (await restarts("eager")) >= 2);
    // In its pause it counts among those that run.
    await stage.until(async () => (await status("eager")) === "restarting");
    expect(await stage.output("ps", "-q")).not.toBe("");
    expect((await stage.tsimg(["rm", "eager"])).status).toBe(1);
    await stage.output("stop", "eager");
    expect(await status("eager")).toBe("exited");
    const before = await restarts("eager");
    await stage.output("rm", "eager");
    expect(before).toBeGreaterThanOrEqual(2);
  });

  test("a restart that can't be prepared leaves it exited, and says why", async () => {
    const script = "until test -e /go; do sleep 0.02; done; exit 3";
    await run("spoilt", "on-failure:1", script);
    const id = await shown("spoilt", "{{.Id}}");
    await rename(configOf(id), `${configOf(id)}.away`);
    await stage.tsimg(["exec", "spoilt", "touch", "/go"]);
    await stage.until(async () => (await status("spoilt")) === "exited");
    expect(await shown("spoilt", "{{.State.ExitCode}} {{.State.Error}}")).toMatch(
      /^128 '.*config.json' is missing$/,
    );
    await rename(`${configOf(id)}.away`, configOf(id));
    await stage.output("start", "spoilt");
    expect(await stage.output("wait", "spoilt")).toBe("3\n");
    await stage.output("rm", "-f", "spoilt");
  });

  test("a start that is cut off leaves it as it was", async () => {
    await stage.output("run", "-d", "--name", "cut", stage.tiny, "sh", "-c", "exit 3");
    await stage.output("wait", "cut");
    const starter = await shown("cut", "{{.Id}}");
    claimAndDie(stage, starter);
    expect(await shown("cut", "{{.State.Status}} {{.State.ExitCode}}")).toBe("exited 3");
    await stage.output("rm", "cut");
  });

  test("start --all can leave out what somebody has stopped", async () => {
    await run("asked", "unless-stopped", LOOP);
    await run("stubborn", "always", LOOP);
    await run("lost", "unless-stopped", LOOP);
    await stage.output("stop", "-t", "0", "asked", "stubborn");
    const { BundlePath } = await stage.inspect("lost");
    const found = await stage.shell(`pgrep -f '${BundlePath}/[t]ape'`);
    process.kill(Number(found.stdout), "SIGKILL");
    await stage.until(async () => (await status("lost")) === "exited");
    const boot = ["start", "--all", "--filter", "should-start-on-boot=true"];
    const started = await stage.output(...boot);
    expect(started.split("\n").toSorted()).toEqual(["", "lost", "stubborn"]);
    await stage.output("rm", "-f", "asked", "stubborn", "lost");
  });

  test("a killed launcher's container is not lost: it can be started again", async () => {
    await run("orphan", "unless-stopped", LOOP);
    const { BundlePath } = await stage.inspect("orphan");
    const found = await stage.shell(`pgrep -f '${BundlePath}/[t]ape'`);
    process.kill(Number(found.stdout), "SIGKILL");
    await stage.until(async () => (await status("orphan")) === "exited");
    await stage.output("start", "orphan");
    expect(await status("orphan")).toBe("running");
    await stage.output("rm", "-f", "orphan");
  });

  test.each([["kill"], ["stop", "-t", "0"], ["rm", "-f"]])(
    "%s is the wish that it stays down",
    async (...command: string[]) => {
      await run("wished", "always", LOOP);
      await stage.output(...command, "wished");
      if (command[0] === "rm") return;
      await stage.until(async () => (await status("wished")) === "exited");
      expect(await restarts("wished")).toBe(0);
      await stage.output("rm", "wished");
    },
  );

  test("another signal's end is no such wish", async () => {
    await run("dies", "always", `trap 'exit 1' USR1; ${LOOP}`);
    const first = await shown("dies", "{{.State.Pid}}");
    const isUp = async () => !["0", first].includes(await shown("dies", "{{.State.Pid}}"));
    await stage.until(async () => (await stage.tsimg(["kill", "-s", "USR1", "dies"])).status === 0);
    await stage.until(isUp);
    expect(await restarts("dies")).toBeGreaterThanOrEqual(1);
    await stage.output("rm", "-f", "dies");
  });

  test("a command that looks in the midst of a start takes nothing for lost", async () => {
    await stage.output("run", "-d", "--name", "midst", stage.tiny, "sh", "-c", LOOP);
    const { BundlePath } = await stage.inspect("midst");
    const [record, aside] = [`${BundlePath}/started.json`, `${BundlePath}/aside`];
    const database = new DatabaseSync(join(stage.env["TSIMG_ROOT"] ?? "", "tsimg.db"));
    using _closed = { [Symbol.dispose]: () => database.close() };
    // What a start does: the old record goes before the new row is there for others to see.
    database.exec("begin immediate");
    renameSync(record, aside);
    const look = stage.output("ps", "-aq");
    await sleep(300);
    renameSync(aside, record);
    database.exec("commit");
    expect((await look).trim()).not.toBe("");
    expect(await status("midst")).toBe("running");
    await stage.output("rm", "-f", "midst");
  });

  test("update --restart changes the policy, and takes no container away", async () => {
    await run("changed", "always", "sleep 0.1; exit 4");
    expect(await stage.output("update", "--restart", "no", "changed")).toBe("changed\n");
    expect(await stage.output("wait", "changed")).toBe("4\n");
    expect(await status("changed")).toBe("exited");
    await stage.output("update", "--restart", "on-failure:1", "changed");
    await stage.output("start", "changed");
    expect(await stage.output("wait", "changed")).toBe("4\n");
    expect(await restarts("changed")).toBe(1);
    await stage.output("rm", "changed");
  });

  test("update --restart gives a policy to one that runs without any", async () => {
    const script = "until test -e /go; do sleep 0.02; done; exit 4";
    await stage.output("run", "-d", "--name", "plain", stage.tiny, "sh", "-c", script);
    await stage.output("update", "--restart", "on-failure:2", "plain");
    await stage.tsimg(["exec", "plain", "touch", "/go"]);
    expect(await stage.output("wait", "plain")).toBe("4\n");
    expect(await restarts("plain")).toBe(2);
    // What it had is forgotten with the next start.
    await stage.output("update", "--restart", "no", "plain");
    await stage.output("start", "plain");
    expect(await stage.output("wait", "plain")).toBe("4\n");
    expect(await restarts("plain")).toBe(0);
    await stage.output("rm", "plain");
  });

  test.each([
    [["--restart", "sometimes"], /invalid restart policy "sometimes"/],
    [["--restart", "on-failure:x"], /"x" is not a number of times/],
    [["--restart", "always:3"], /goes with on-failure only/],
    [["--restart", "always", "--rm"], /--restart and --rm contradict each other/],
  ])("%j is refused", async (flags, words) => {
    const refused = await stage.tsimg(["run", ...flags, stage.tiny, "true"]);
    expect(refused).toMatchObject({ status: 125, stdout: "" });
    expect(refused.stderr).toMatch(words);
  });
});

/** As a start that is killed before there is a launcher. */
function claimAndDie(stage: Stage, id: string): void {
  const app = JSON.stringify(join(import.meta.dirname, "../../src/app.ts"));
  const script = `const { App } = await import(${app});
    new App({ root: process.env.TSIMG_ROOT }).containers.claimStart("${id}");
    process.kill(process.pid, "SIGKILL");`;
  const argv = ["--input-type=module", "-e", script];
  const { signal, stderr } = spawnSync(process.execPath, argv, { env: stage.env });
  expect({ signal, stderr: stderr.toString() }).toEqual({ signal: "SIGKILL", stderr: "" });
}
