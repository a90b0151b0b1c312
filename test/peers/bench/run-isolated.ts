import { spawn } from "node:child_process";
import { join } from "node:path";
import { isolated } from "../isolated.ts";

/**
 * Runs a script of ours in namespaces of its own; it ends early, with everything that it
 * started, on Ctrl-C or a termination.
 *
 * @returns its exit status, 130 when a signal ended it
 */
export async function runIsolated(
  script: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<number> {
  const [program = "", ...rest] = isolated([
    ...["unshare", "--net", process.execPath],
    ...[script, ...args],
  ]);
  const inside = spawn(program, rest, {
    stdio: "inherit",
    cwd: join(import.meta.dirname, "../../.."),
    env: { ...process.env, ...env },
  });
  const stop = () => inside.kill("SIGKILL");
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, stop);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  inside.on("error", reject);
  inside.on("close", (status) => resolve(status ?? 130));
  return await promise;
}
