import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { isatty } from "node:tty";
import { builtProgram } from "../../app.ts";

/** What a caller may send to a command that stands for a container's process. */
const SENT = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCONT"] as const;

/** What a terminal sends to the launcher, too, which is in this process's group. */
const TYPED = ["SIGINT", "SIGQUIT", "SIGWINCH"] as const;

/** Runs the launcher to its end, passes signals on to it, and answers its exit status. */
export async function performTape(tape: string): Promise<number> {
  const launcher = spawn(builtProgram("launcher"), [tape], { stdio: "inherit" });
  const signals = isatty(0) ? SENT : [...SENT, ...TYPED];
  const passOn = (signal: NodeJS.Signals) => launcher.kill(signal);
  for (const signal of signals) process.on(signal, passOn);
  try {
    const [status, signal] = (await once(launcher, "close")) as [
      number | null,
      NodeJS.Signals | null,
    ];
    return status ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  } finally {
    for (const signal of signals) process.off(signal, passOn);
  }
}
