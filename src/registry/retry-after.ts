/** A server can't make us wait longer than this, in milliseconds. */
const MAX_WAIT_MS = 60_000;

/**
 * The milliseconds that a `Retry-After` header asks for: seconds, or an HTTP date.
 *
 * @param now the current time in milliseconds, as `Date.now()` gives it
 * @returns at most a minute; undefined when there is no such header or it makes no sense
 * @see RFC 9110, section 10.2.3
 */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const wait = /^[0-9]+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), MAX_WAIT_MS);
}
