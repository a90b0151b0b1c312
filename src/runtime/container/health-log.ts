import { join } from "node:path";

/** Where the launcher writes the results of health checks. */
export function healthLog(state: string): string {
  return join(state, "health.log");
}
