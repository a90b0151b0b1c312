import { App } from "../app.ts";
import type { Command } from "./command.ts";

/** The store that the command line, or else the environment, names. */
export function openApp(command: Command): App {
  const options = command.optsWithGlobals<{ root?: string; runroot?: string }>();
  return new App({
    root: options.root ?? process.env["TSIMG_ROOT"],
    runRoot: options.runroot ?? process.env["TSIMG_RUNROOT"],
  });
}

/** Signals within so many milliseconds are one interrupt. */
const SAME_INTERRUPT = 250;

/**
 * Runs `action` with a signal that Ctrl-C and SIGTERM abort: what is running winds up and
 * leaves nothing but partial downloads. A second Ctrl-C ends the process at once.
 */
export async function interruptible<T>(action: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let first = 0;
  const interrupt = (signal: NodeJS.Signals): void => {
    // npm passes on a Ctrl-C that the terminal has sent to all of us: one, not two.
    if (controller.signal.aborted && Date.now() - first < SAME_INTERRUPT) return;
    if (controller.signal.aborted) process.exit(signal === "SIGINT" ? 130 : 143);
    first = Date.now();
    const error = new DOMException("interrupted", "AbortError");
    controller.abort(error);
  };
  const signals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, interrupt);
  try {
    return await action(controller.signal);
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}
