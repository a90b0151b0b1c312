import { readFileSync } from "node:fs";

/**
 * Whether this process is in a user namespace other than the first, which maps every ID to
 * itself: root there is an ordinary user outside.
 * @see user_namespaces(7)
 */
export function inUserNamespace(): boolean {
  const map = readFileSync("/proc/self/uid_map", "utf8");
  return !/^\s*0\s+0\s+4294967295\s*$/.test(map);
}
