/** Signals within so many milliseconds are one interrupt: npm passes on what all of us get. */
const SAME_INTERRUPT = 250;

export interface TwoInterrupts extends Disposable {
  /** Aborted by Ctrl-C, SIGTERM or SIGHUP. */
  readonly first: AbortSignal;
  /** Aborted by the next. */
  readonly second: AbortSignal;
}

/** @param onFirst called at the first of them */
export function twoInterrupts(onFirst: () => void): TwoInterrupts {
  const [first, second] = [new AbortController(), new AbortController()];
  let since = 0;
  const interrupt = (): void => {
    if (first.signal.aborted && Date.now() - since < SAME_INTERRUPT) return;
    if (first.signal.aborted) {
      second.abort();
      return;
    }
    since = Date.now();
    first.abort();
    onFirst();
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, interrupt);
  return {
    first: first.signal,
    second: second.signal,
    [Symbol.dispose]() {
      for (const signal of signals) process.off(signal, interrupt);
    },
  };
}
