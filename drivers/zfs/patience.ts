/** Waits between attempts, in ms: together some two and a half seconds. */
const WAITS = [5, 10, 20, 40, 80, 160, 320, 640, 1280];

/**
 * Tries again for a while: what was unmounted a moment ago is busy a moment longer, since a
 * file system ends after the call that unmounted it.
 *
 * @param attempt answers "busy" to be called again
 * @returns what the last attempt answered
 */
export function patiently<T>(attempt: () => T | "busy"): T | "busy" {
  for (const wait of WAITS) {
    const answer = attempt();
    if (answer !== "busy") return answer;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, wait);
  }
  return attempt();
}
