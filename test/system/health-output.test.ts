import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Health, HealthResult } from "../../src/runtime/container/health.ts";
import { reason, Stage } from "./run-stage.ts";

describe.skipIf(reason)(`what health checks say ${reason ?? ""}`, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const watched = async (name: string, ...flags: string[]): Promise<string> => {
    const args = ["run", "-d", "--name", name, ...flags, stage.tiny, "sleep", "1000"];
    return (await stage.output(...args)).trim();
  };
  const healthOf = async (name: string): Promise<Health> =>
    JSON.parse(await stage.output("inspect", "--format", "{{json .State.Health}}", name));
  const logOf = (id: string) => join(stage.env["TSIMG_ROOT"] ?? "", "run", id, "health.log");

  test("more words than a pipe holds don't make a container sick", async () => {
    const line = "yes 'a \"word\"' | head -c 200000";
    await watched("talker", "--health-cmd", line, "--health-interval", "100ms");
    await stage.until(async () => (await healthOf("talker")).Log.length >= 2);
    const { Status, Log } = await healthOf("talker");
    expect(Status).toBe("healthy");
    expect(Log.map(({ ExitCode }) => ExitCode)).toEqual(Log.map(() => 0));
    expect(Log[0]?.Output).toMatch(/^(a "word"\n){200}/);
    await stage.output("rm", "-f", "talker");
  });

  test("the check's own status, and one that takes too long", async () => {
    const quick = ["--health-interval", "50ms", "--health-retries", "2"];
    await watched("sick", ...quick, "--health-cmd", "echo ill; exit 3");
    await watched("late", ...quick, "--health-timeout", "50ms", "--health-cmd", "sleep 1000");
    for (const name of ["sick", "late"])
      await stage.until(async () => (await healthOf(name)).Status === "unhealthy");
    expect((await healthOf("sick")).Log.at(-1)).toMatchObject({ ExitCode: 3, Output: "ill\n" });
    const late = (await healthOf("late")).Log.at(-1);
    expect(late).toMatchObject({ ExitCode: -1, Output: "Health check exceeded timeout" });
    await stage.output("rm", "-f", "sick", "late");
  });

  test("the log of the results stays small, and whole lines", async () => {
    const line = "yes | head -c 4000";
    const id = await watched("old", "--health-cmd", line, "--health-interval", "1ms");
    const results = () =>
      readFileSync(logOf(id), "utf8")
        .trimEnd()
        .split("\n")
        .map((text) => JSON.parse(text) as HealthResult);
    await stage.until(async () => (await healthOf("old")).Log.length > 0);
    const first = results()[0]?.Start;
    await stage.until(async () => results()[0]?.Start !== first);
    expect(statSync(logOf(id)).size).toBeLessThan(270_000);
    expect(await healthOf("old")).toMatchObject({ Status: "healthy", FailingStreak: 0 });
    await stage.output("rm", "-f", "old");
  });
});
