import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { tolerating } from "../../sys/errno.ts";

/** What reading a group's files answers when the group is just going away. */
const GONE = ["ENOENT", "ENODEV", "ESRCH", "EOPNOTSUPP"];

/** The first of a container's groups that has a file of that name; its path. */
export function groupFile(groups: readonly string[], name: string): string | undefined {
  return groups.map((group) => join(group, name)).find((path) => existsSync(path));
}

/** The content of that file; undefined when there is none. */
export function readGroupFile(groups: readonly string[], name: string): string | undefined {
  for (const group of groups) {
    const text = tolerating(GONE, () => readFileSync(join(group, name), "latin1"));
    if (text !== undefined) return text.trim();
  }
  return undefined;
}

/** The number in that file. "max" is Infinity; undefined where there is none. */
export function readGroupNumber(groups: readonly string[], name: string): number | undefined {
  const text = readGroupFile(groups, name);
  if (text === undefined || text === "") return undefined;
  return text === "max" ? Number.POSITIVE_INFINITY : Number(text);
}

/** `name value` a line, as most files of several numbers are. */
export function readGroupTable(
  groups: readonly string[],
  name: string,
): ReadonlyMap<string, number> {
  const lines = (readGroupFile(groups, name) ?? "").split("\n");
  return new Map(
    lines.map((line) => {
      const [key = "", value = ""] = line.split(" ");
      return [key, Number(value)] as const;
    }),
  );
}

/**
 * The processes in the container's groups, those that it has made itself included.
 *
 * In every hierarchy there are the same, so the first that is there is asked. Numbers are
 * those of this process's PID namespace; whoever is outside it has none.
 */
export function processesIn(groups: readonly string[]): readonly number[] {
  const top = groups.find((group) => existsSync(join(group, "cgroup.procs")));
  return top === undefined ? [] : [...new Set(processesBelow(top))];
}

function processesBelow(group: string): readonly number[] {
  // A threaded group of version 2 doesn't tell (EOPNOTSUPP); the one above it does.
  const text = readGroupFile([group], "cgroup.procs") ?? "";
  const own = text.split("\n").map(Number);
  const entries = tolerating(GONE, () => readdirSync(group, { withFileTypes: true })) ?? [];
  const children = entries.filter((entry) => entry.isDirectory());
  return [
    ...own.filter((pid) => pid > 0),
    ...children.flatMap(({ name }) => processesBelow(join(group, name))),
  ];
}
