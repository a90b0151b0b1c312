import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { outputOf } from "../../../fixtures/command.ts";
import type { Tool } from "../tools/tool.ts";
import { type CountingProxy, startCountingProxy } from "./counting-proxy.ts";
import type { Stage } from "./suites.ts";

export interface Resumed {
  readonly name: string;
  /** Bytes that had come when the pull was killed. */
  readonly cutBytes: number;
  /** Bytes that came twice, of `size`. */
  readonly twiceBytes: number;
  readonly size: number;
}

/**
 * A pull of the big image killed when half of it has come, then run again: how much is fetched
 * twice. Daemons give up a pull when their client is killed, so only tools without one count.
 *
 * @param registryPort where the stage's images are
 */
export async function resumedPulls(
  stage: Stage,
  registryPort: number,
): Promise<readonly Resumed[]> {
  const results: Resumed[] = [];
  for (const { tool, group } of stage.tools.filter(({ tool }) => !tool.hasDaemon)) {
    group.enter();
    results.push(await resumedPull(tool, stage.big.reference, registryPort));
  }
  return results;
}

async function resumedPull(tool: Tool, direct: string, registryPort: number): Promise<Resumed> {
  // Another suite may have left it there.
  await tool.forget(direct).catch(() => undefined);
  await using proxy = await startCountingProxy(registryPort);
  const reference = direct.replace(`:${registryPort}/`, `:${proxy.port}/`);
  await outputOf(tool.pull(reference).argv);
  const size = proxy.bytes();
  await tool.forget(reference);
  const begun = proxy.bytes();
  await cutAt(tool, reference, proxy, begun + size / 2);
  const cutBytes = proxy.bytes() - begun;
  await outputOf(tool.pull(reference).argv);
  const twiceBytes = Math.max(0, proxy.bytes() - begun - size);
  await tool.forget(reference);
  return { name: tool.name, cutBytes, twiceBytes, size };
}

async function cutAt(tool: Tool, reference: string, proxy: CountingProxy, bytes: number) {
  const { argv, env } = tool.pull(reference);
  const [program = "", ...args] = argv;
  const options = { stdio: "ignore", env: { ...process.env, ...env } } as const;
  const pull = spawn(program, args, options);
  const ended = once(pull, "exit");
  while (proxy.bytes() < bytes && pull.exitCode === null) await sleep(2);
  pull.kill("SIGKILL");
  await ended;
}
