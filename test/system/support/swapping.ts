import { spawn } from "node:child_process";
import { once } from "node:events";

/**
 * While this is not disposed of, two names in a directory that a container shares are
 * exchanged as fast as the kernel can (renameat2, RENAME_EXCHANGE).
 */
export async function swapping(attack: string, a: string, b: string): Promise<AsyncDisposable> {
  const attacker = spawn(attack, ["swap", a, b], { stdio: ["ignore", "inherit", "inherit"] });
  await once(attacker, "spawn");
  return {
    [Symbol.asyncDispose]: async () => {
      const ended = once(attacker, "close");
      attacker.kill("SIGKILL");
      await ended;
    },
  };
}
