import { type ChildProcess, spawn } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reason, Stage } from "./run-stage.ts";

/** Fits into the pipes between container and reader: its program can end before a byte is read. */
const WORDS = 120_000;

describe.skipIf(reason)(`who reads a container slowly ${reason ?? ""}`, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const logged = async (name: string) =>
    (await stage.shell(`$TSIMG logs ${name} | wc -c`)).stdout.trim();

  test("gets all of it, and so does the log", async () => {
    const run = `$TSIMG run --name slow ${stage.tiny} sh -c 'yes | head -c ${WORDS}'`;
    const { stdout } = await stage.shell(`${run} | { sleep 2; wc -c; }`);
    expect(stdout.trim()).toBe(String(WORDS));
    expect(await logged("slow")).toBe(String(WORDS));
    await stage.output("rm", "slow");
  });

  test("doesn't hold up a stop, nor what the log has", async () => {
    const script = `yes | head -c ${WORDS}; exec sleep 1000`;
    const line = `$TSIMG run --name stuck ${stage.tiny} sh -c '${script}' | sleep 1000`;
    using _pipeline = inBackground(line, stage.env);
    await stage.until(async () => (await logged("stuck").catch(() => "")) !== "0");
    await stage.until(async () => (await stage.output("top", "stuck")).includes("sleep 1000"));
    await stage.output("stop", "-t", "0", "stuck");
    expect((await stage.inspect("stuck")).State.Status).toBe("exited");
    expect(await logged("stuck")).toBe(String(WORDS));
    await stage.output("rm", "stuck");
  });
});

function inBackground(line: string, env: NodeJS.ProcessEnv): Disposable {
  const child: ChildProcess = spawn("sh", ["-c", line], { env, stdio: "ignore", detached: true });
  return {
    [Symbol.dispose]: () => {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    },
  };
}
