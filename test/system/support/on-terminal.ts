import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { outputOf } from "../../../fixtures/command.ts";
import { reason, type Stage, TSIMG } from "../run-stage.ts";
import { patience } from "./slowness.ts";

const DRIVER = join(import.meta.dirname, "../run-pty.py");
const hasPython = spawnSync("python3", ["-c", "import pty, termios"]).status === 0;

/** Why tests with a terminal can't run here; undefined when they can. */
export const terminalReason = reason ?? (hasPython ? undefined : "(needs python3)");

/** What the driver does at the terminal; its own text tells more. */
export type Step = readonly ["wait" | "type", string] | readonly ["resize" | "signal", ...number[]];

/** The beginning of a command line whose rest runs on a terminal of its own. */
export function terminalWords(steps: readonly Step[] = []): readonly [string, ...string[]] {
  return ["python3", DRIVER, String(patience(20_000) / 1000), JSON.stringify(steps)];
}

/** What stands on a terminal of 40 rows and 100 columns at the end, its mode, the status. */
export function onTerminal(
  stage: Stage,
  args: readonly string[],
  steps: readonly Step[],
): Promise<string> {
  return outputOf([...terminalWords(steps), TSIMG, ...args], { env: stage.env });
}
