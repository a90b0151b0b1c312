const ENDING: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];

export interface CursorActions {
  /** Makes the cursor visible; must be synchronous. */
  restore(): void;
  /** The process goes on after Ctrl-Z; the shell has written to the screen meanwhile. */
  resume(): void;
}

/**
 * Gives the cursor back when the process exits, is ended or stopped by a signal.
 *
 * A signal that others listen to is left to them: whoever winds up closes the display too.
 *
 * @returns a function that ends the guard
 */
export function guardCursor(actions: CursorActions): () => void {
  const end = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) return;
    actions.restore();
    release();
    // Without a listener the signal does what it would have done.
    process.kill(process.pid, signal);
  };
  const stop = (): void => {
    actions.restore();
    process.kill(process.pid, "SIGSTOP");
    // From here on it has been continued.
    actions.resume();
  };
  const release = (): void => {
    process.off("exit", actions.restore);
    for (const signal of ENDING) process.off(signal, end);
    process.off("SIGTSTP", stop);
  };
  process.on("exit", actions.restore);
  for (const signal of ENDING) process.on(signal, end);
  process.on("SIGTSTP", stop);
  return release;
}
