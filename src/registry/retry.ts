import { setTimeout as delay } from "node:timers/promises";
import { RetryableError } from "./failure.ts";

export interface RetryPolicy {
  /** Tries in all, without progress between them. */
  readonly attempts: number;
  /** Wait before the second try; each further wait is twice as long. In milliseconds. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export const DEFAULT_RETRY: RetryPolicy = {
  attempts: 6,
  firstWaitMs: 500,
  longestWaitMs: 15_000,
  sleep: async (ms, signal) => {
    await delay(ms, undefined, { signal }).catch((error) => {
      throw signal.aborted ? signal.reason : error;
    });
  },
};

/**
 * Runs `attempt` until it succeeds, fails for good, or has failed `attempts` times in a row
 * without progress.
 *
 * @param progress grows while attempts get somewhere: bytes received; a try that moved it
 *   starts the count anew
 * @throws what `attempt` throws; of a `RetryableError` its `final`
 */
export async function retrying<T>(
  policy: RetryPolicy,
  signal: AbortSignal,
  attempt: () => Promise<T>,
  progress: () => number = () => 0,
): Promise<T> {
  let failures = 0;
  for (;;) {
    const before = progress();
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
      signal.throwIfAborted();
      failures = progress() > before ? 1 : failures + 1;
      if (failures >= policy.attempts) throw error.final;
      await policy.sleep(error.waitMs ?? backoffMs(policy, failures), signal);
    }
  }
}

/** Half of the wait is random, so that clients that failed together don't come back together. */
function backoffMs(policy: RetryPolicy, failures: number): number {
  const full = Math.min(policy.firstWaitMs * 2 ** (failures - 1), policy.longestWaitMs);
  return full * (0.5 + Math.random() / 2);
}
