/**
 * Waits so many milliseconds. `node:timers/promises` is loaded here and not on import: most
 * commands wait for nothing.
 * @throws AbortError when the signal aborts it
 */
export async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  const { setTimeout } = process.getBuiltinModule("node:timers/promises");
  await setTimeout(milliseconds, undefined, { signal });
}
