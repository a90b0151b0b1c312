import { readFileSync } from "node:fs";

/**
 * Whether this process is in a user namespace other than the first, which maps every ID to
 * itself: root there is an ordinary user outside.
 * @see user_namespaces(7)
 */
export function inUserNamespace(): boolean {
  return !/^\s*0\s+0\s+4294967295\s*$/.test(ownMap());
}

let map: string | undefined;

/** Read once: a process of ours never changes its user namespace, it becomes another program. */
function ownMap(): string {
  map ??= readFileSync("/proc/self/uid_map", "utf8");
  return map;
}

/** Whether only one user ID is mapped: files can then belong to nobody else. */
export function hasOneId(): boolean {
  const counts = ownMap().trim().split("\n").map(count);
  return counts.reduce((sum, one) => sum + one, 0) === 1;
}

function count(line: string): number {
  return Number(line.trim().split(/\s+/)[2]);
}
