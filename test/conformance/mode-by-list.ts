import type { TreeLines } from "./tree-lines.ts";

/** Three entries, for owner, group and all others: what a mode says too. */
const TRIVIAL = / system\.posix_acl_access=02000000(\w{16})(\w{16})(\w{16})(?=[ ,]|$)/;
const MODE = /^(\w+ )(\d+)/;

/**
 * The tree as it would be where an access control list that says no more than a mode becomes
 * that mode. GNU's cp and sed set modes in this way.
 * @see acl(5), "Correspondence between ACL entries and file permission bits"
 */
export function withModesByLists(lines: TreeLines): TreeLines {
  return new Map([...lines].map(([path, line]) => [path, withModeByList(line)]));
}

function withModeByList(line: string): string {
  const [, ...entries] = TRIVIAL.exec(line) ?? [];
  const permissions = entries.map((entry) => Number.parseInt(entry.slice(4, 6), 16) & 7);
  if (entries.length !== 3 || !entries.every((entry, index) => isOf(entry, index))) return line;
  return line.replace(TRIVIAL, " ").replace(MODE, (_, type: string, mode: string) => {
    const special = Math.floor(Number.parseInt(mode, 8) / 0o1000);
    const shown = permissions.join("");
    return `${type}${special === 0 ? "" : special}${shown.replace(/^0+(?=\d)/, special === 0 ? "" : "$&")}`;
  });
}

/** Tags of owner, group and others. */
function isOf(entry: string, index: number): boolean {
  return entry.startsWith(["0100", "0400", "2000"][index] ?? "none");
}
