import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reason, Stage } from "./run-stage.ts";
import { patience } from "./support/slowness.ts";

const LOOP = "while :; do sleep 0.02; done";

interface Health {
  readonly Status: string;
  readonly FailingStreak: number;
  readonly Log: readonly { readonly ExitCode: number; readonly Output: string }[];
}

describe.skipIf(reason)(`health checks ${reason ?? ""}`, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  async function checked(name: string, check: string, ...flags: string[]): Promise<void> {
    const all = ["--health-cmd", check, "--health-interval", "100ms", ...flags];
    await stage.output("run", "-d", "--name", name, ...all, stage.tiny, "sh", "-c", LOOP);
  }
  const healthOf = async (name: string) =>
    JSON.parse(await stage.output("inspect", "-f", "{{json .State.Health}}", name)) as Health;
  const becomes = (name: string, status: string) =>
    stage.until(async () => (await healthOf(name)).Status === status);
  const psStatus = () => stage.output("ps", "--format", "{{.Status}}");

  test("starting, healthy, unhealthy and healthy again, as ps and inspect tell", async () => {
    const check = "test -e /wait && sleep 60; echo asked; test -e /well";
    await checked(
      "patient",
      `until test -e /begun; do sleep 0.02; done; ${check}`,
      "--health-retries",
      "2",
    );
    expect(await healthOf("patient")).toEqual({ Status: "starting", FailingStreak: 0, Log: [] });
    expect(await psStatus()).toContain("(health: starting)");
    await stage.output("exec", "patient", "touch", "/well", "/begun");
    await becomes("patient", "healthy");
    expect(await psStatus()).toContain("(healthy)");
    expect((await healthOf("patient")).Log[0]).toMatchObject({ ExitCode: 0, Output: "asked\n" });
    await stage.output("exec", "patient", "rm", "/well");
    await becomes("patient", "unhealthy");
    expect((await healthOf("patient")).FailingStreak).toBeGreaterThanOrEqual(2);
    expect(await psStatus()).toContain("(unhealthy)");
    await stage.until(async () => (await healthOf("patient")).Log.length === 5);
    await stage.output("exec", "patient", "touch", "/well");
    await becomes("patient", "healthy");
    // What a new start is like, the checks before it don't tell.
    await stage.output("exec", "patient", "rm", "/begun");
    await stage.output("restart", "-t", "0", "patient");
    expect((await healthOf("patient")).Status).toBe("starting");
    await stage.output("rm", "-f", "patient");
  });

  test("a check that takes too long is ended, fails, and keeps nothing from ending", async () => {
    await checked("slow", "sleep 1000", "--health-timeout", "100ms", "--health-retries", "2");
    await becomes("slow", "unhealthy");
    const { Log } = await healthOf("slow");
    expect(Log[0]).toMatchObject({ ExitCode: -1, Output: "Health check exceeded timeout" });
    await stage.output("stop", "-t", "0", "slow");
    expect((await stage.inspect("slow")).State.Status).toBe("exited");
    await stage.output("rm", "slow");
  });

  test("it is asked as the container's user, with its rights, and may say much", async () => {
    const check = "id -u; grep CapEff /proc/self/status; yes '\"' | head -c 1000000";
    await checked("wordy", check, "-u", "1000", "--health-timeout", "20s");
    await becomes("wordy", "healthy");
    const { Log } = await healthOf("wordy");
    expect(Log[0]?.Output).toMatch(/^1000\nCapEff:\t0{16}\n("\n)+"?$/);
    await stage.output("rm", "-f", "wordy");
  });

  test("failures in the start period don't count until a first success", async () => {
    const flags = ["--health-start-period", "1h", "--health-start-interval", "50ms"];
    await checked("starts", "test -e /well", ...flags, "--health-retries", "1");
    await stage.until(async () => (await healthOf("starts")).Log.length >= 3);
    expect(await healthOf("starts")).toMatchObject({ Status: "starting", FailingStreak: 0 });
    await stage.output("exec", "starts", "touch", "/well");
    await becomes("starts", "healthy");
    await stage.output("exec", "starts", "rm", "/well");
    await becomes("starts", "unhealthy");
    await stage.output("rm", "-f", "starts");
  });

  test("while the container is paused no more than one check waits", async () => {
    await checked("frozen", "true", "--health-timeout", `${patience(50)}ms`);
    await becomes("frozen", "healthy");
    await stage.output("pause", "frozen");
    const processes = async () => {
      const groups = "/sys/fs/cgroup/freezer/tsimg /sys/fs/cgroup/tsimg";
      const { Id } = (await stage.inspect("frozen")) as unknown as { readonly Id: string };
      const files = `find ${groups} -path '*${Id}*' -name cgroup.procs 2>/dev/null`;
      return Number((await stage.shell(`cat $(${files}) | sort -u | wc -l`)).stdout);
    };
    const before = await processes();
    // So long that many more would have come.
    await new Promise((resolve) => setTimeout(resolve, patience(1500)));
    expect(await processes()).toBeLessThanOrEqual(before + 2);
    await stage.output("unpause", "frozen");
    await stage.until(async () => (await healthOf("frozen")).Log.at(-1)?.ExitCode === 0);
    await stage.output("rm", "-f", "frozen");
  });

  test("--no-healthcheck means none, and contradictions are refused", async () => {
    const none = ["run", "--name", "none", "--no-healthcheck", stage.tiny, "true"];
    await stage.output(...none);
    expect(await stage.output("inspect", "-f", "{{json .State}}", "none")).not.toContain("Health");
    await stage.output("rm", "none");
    for (const flags of [
      ["--no-healthcheck", "--health-cmd", "true"],
      ["--health-cmd", "true", "--health-interval", "often"],
      ["--health-cmd", "true", "--health-retries", "-1"],
    ]) {
      const refused = await stage.tsimg(["run", "--rm", ...flags, stage.tiny, "true"]);
      expect(refused).toMatchObject({ status: 125, stdout: "" });
    }
  });
});
