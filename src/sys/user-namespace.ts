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

/** Whether only one user ID is mapped: files can then belong to nobody else. */
export function hasOneId(): boolean {
  const counts = readFileSync("/proc/self/uid_map", "utf8").trim().split("\n").map(count);
  return counts.reduce((sum, one) => sum + one, 0) === 1;
}

function count(line: string): number {
  return Number(line.trim().split(/\s+/)[2]);
}
