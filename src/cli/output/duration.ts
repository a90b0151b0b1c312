const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * A span of `ms` in docker's words: `Less than a second`, `About a minute`, `2 weeks`.
 * Negative ones, of clocks that disagree, count as none.
 */
export function formatDuration(ms: number): string {
  if (!(ms >= SECOND)) return "Less than a second";
  const seconds = Math.floor(ms / SECOND);
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(ms / MINUTE);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(ms / HOUR);
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  const days = Math.floor((hours * HOUR) / DAY);
  if (days < 14) return `${days} days`;
  if (days < 60) return `${Math.floor(days / 7)} weeks`;
  if (days < 730) return `${Math.floor(days / 30)} months`;
  return `${Math.floor(ms / (365 * DAY))} years`;
}

/** How long ago something was, `ms` being its age: `3 minutes ago`. */
export function formatAge(ms: number): string {
  return `${formatDuration(ms)} ago`;
}
