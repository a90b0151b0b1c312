import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reason, Stage } from "./run-stage.ts";

describe.skipIf(reason)(`logs in several files ${reason ?? ""}`, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const start = (name: string, flags: readonly string[], script: string) =>
    stage.output("run", "-d", "--name", name, ...flags, stage.tiny, "sh", "-c", script);
  const count = (to: number) => `i=1; while [ $i -le ${to} ]; do echo line $i; i=$((i+1)); done`;
  const logPath = (name: string) =>
    stage.output("inspect", "-f", "{{.LogPath}}", name).then((text) => text.trimEnd());

  test("of max-file files of max-size bytes the oldest go, and logs reads the rest in order", async () => {
    await start("many", ["--log-opt", "max-size=2k", "--log-opt", "max-file=3"], count(500));
    await stage.output("wait", "many");
    const path = await logPath("many");
    const files = readdirSync(dirname(path)).filter((name) => name.startsWith("container.log"));
    expect(files.toSorted()).toEqual(["container.log", "container.log.1", "container.log.2"]);
    for (const name of files) expect(statSync(`${dirname(path)}/${name}`).size).toBeLessThan(2049);
    const lines = (await stage.output("logs", "many")).trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(60);
    expect(lines).toEqual(lines.map((_, index) => `line ${501 - lines.length + index}`));
    expect(await stage.output("logs", "-n", "2", "many")).toBe("line 499\nline 500\n");
    const config = await stage.output("inspect", "-f", "{{json .HostConfig.LogConfig}}", "many");
    expect(JSON.parse(config)).toEqual({
      Type: "k8s-file",
      Config: { "max-size": "2k", "max-file": "3" },
    });
    // A restart goes on in the newest.
    await stage.output("start", "many");
    await stage.output("wait", "many");
    expect(await stage.output("logs", "-n", "1", "many")).toBe("line 500\n");
    expect(readFileSync(path, "utf8")).toMatch(/ line 500\n$/);
    await stage.output("rm", "many");
  });

  test("one file is emptied when it is full", async () => {
    await start("one", ["--log-opt", "max-size=1k"], count(200));
    await stage.output("wait", "one");
    const path = await logPath("one");
    expect(readdirSync(dirname(path)).filter((name) => name.includes("log"))).toHaveLength(1);
    expect(await stage.output("logs", "one")).toMatch(/^line \d+\n(line \d+\n)*line 200\n$/);
    await stage.output("rm", "one");
  });

  test("logs -f loses and repeats nothing while files are put aside", async () => {
    // Slow enough that the reader sees each file.
    const script = `sleep 1; i=1; while [ $i -le 60 ]; do echo line $i; i=$((i+1)); sleep 0.02; done`;
    await start("followed", ["--log-opt", "max-size=500", "--log-opt", "max-file=4"], script);
    const followed = await stage.output("logs", "-f", "followed");
    expect(followed).toBe(Array.from({ length: 60 }, (_, at) => `line ${at + 1}\n`).join(""));
    await stage.output("rm", "followed");
  });

  test("--log-driver none keeps nothing", async () => {
    await start("none", ["--log-driver", "none"], "echo lost");
    expect(await stage.output("wait", "none")).toBe("0\n");
    const refused = await stage.tsimg(["logs", "none"]);
    expect(refused).toMatchObject({ status: 1, stdout: "" });
    expect(refused.stderr).toContain("container 'none' has no log");
    await stage.output("rm", "none");
  });
});
