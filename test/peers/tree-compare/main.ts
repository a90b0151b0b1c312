/**
 * `node test/peers/tree-compare/main.ts EXPECTED ACTUAL`: prints how two trees differ.
 *
 * Status 0: they are equal; 10: they differ.
 */
import { compareTrees } from "./compare-trees.ts";
import { readTree } from "./read-tree.ts";

const [expected, actual] = process.argv.slice(2);
if (expected === undefined || actual === undefined) {
  console.error("usage: node test/peers/tree-compare/main.ts EXPECTED ACTUAL");
  process.exit(2);
}
const trees = await Promise.all([readTree(expected), readTree(actual)]);
const differences = compareTrees(...trees);
for (const line of differences) console.log(line);
console.error(`${trees[0].size} paths, ${differences.length} differences`);
process.exitCode = differences.length === 0 ? 0 : 10;
