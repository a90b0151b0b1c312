import type { Tree, TreeField } from "./read-tree.ts";

/**
 * How `actual` differs from `expected`: one line a path that only one of them has, and one a
 * field. Empty when the trees are equal.
 */
export function compareTrees(expected: Tree, actual: Tree): readonly string[] {
  const differences: string[] = [];
  for (const [path, wanted] of expected) {
    const got = actual.get(path);
    if (!got) {
      differences.push(`${printable(path)}: missing (${wanted.type})`);
      continue;
    }
    for (const field of Object.keys(wanted) as TreeField[]) {
      if (wanted[field] === got[field]) continue;
      differences.push(
        `${printable(path)}: ${field} is ${JSON.stringify(got[field])},` +
          ` expected ${JSON.stringify(wanted[field])}`,
      );
    }
  }
  for (const [path, got] of actual) {
    if (!expected.has(path)) differences.push(`${printable(path)}: not expected (${got.type})`);
  }
  return differences;
}

function printable(path: string): string {
  return JSON.stringify(path).slice(1, -1);
}
