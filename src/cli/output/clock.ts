/** The time as a display needs it; tests have their own. */
export interface Clock {
  /** Milliseconds since some moment; never goes back. */
  now(): number;
  /** Calls `action` once after `ms`; the function it answers calls that off. */
  after(ms: number, action: () => void): () => void;
}

/** The machine's clock. A pending action keeps no process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, action) {
    const timer = setTimeout(action, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
