import { expect, it } from "vitest";
import { UnsafeName } from "../../../src/layer/entry-path.ts";
import { LayerTree } from "../../../src/layer/layer-tree.ts";

function treeWithLog() {
  const made: string[] = [];
  return { tree: new LayerTree((directory) => made.push(directory.path)), made };
}

it("makes each directory once, parents first", () => {
  const { tree, made } = treeWithLog();
  tree.directory(["a", "b", "c"]);
  tree.directory(["a", "b", "d"]);
  expect(made).toEqual(["a", "a/b", "a/b/c", "a/b/d"]);
});

it("follows symlinks where they would lead in a container", () => {
  const { tree } = treeWithLog();
  const usr = tree.directory(["usr", "lib"]);
  tree.addSymlink(tree.root, "lib", "usr/lib");
  tree.addSymlink(tree.directory(["d"]), "up", "../lib/./x/..");
  tree.addSymlink(tree.directory(["d"]), "top", "/usr//lib/");
  expect(tree.directory(["lib"])).toBe(usr);
  expect(tree.directory(["d", "up"])).toBe(usr);
  expect(tree.directory(["d", "top"])).toBe(usr);
});

it("looks again after a name was given to something else", () => {
  const { tree } = treeWithLog();
  tree.addSymlink(tree.root, "s", "one");
  expect(tree.directory(["s", "x"]).path).toBe("one/x");
  tree.forget(tree.root, "s");
  tree.addSymlink(tree.root, "s", "two");
  expect(tree.directory(["s", "x"]).path).toBe("two/x");
});

it("knows which directories were replaced", () => {
  const { tree } = treeWithLog();
  const inner = tree.directory(["a", "b"]);
  expect(tree.holds(inner)).toBe(true);
  tree.forget(tree.root, "a");
  expect(tree.holds(inner)).toBe(false);
  expect(tree.holds(tree.directory(["a", "b"]))).toBe(true);
});

it("refuses to climb above the root and to run in circles", () => {
  const { tree } = treeWithLog();
  tree.addSymlink(tree.directory(["d"]), "up", "../../etc");
  tree.addSymlink(tree.root, "a", "b");
  tree.addSymlink(tree.root, "b", "a");
  expect(() => tree.directory(["d", "up"])).toThrow(UnsafeName);
  expect(() => tree.existing(["a", "x"])).toThrow(/circle/);
  // As many as the kernel follows are fine.
  for (let link = 0; link < 40; link++) tree.addSymlink(tree.root, `l${link}`, `l${link + 1}`);
  expect(tree.directory(["l0"]).path).toBe("l40");
});

it("a look makes nothing", () => {
  const { tree, made } = treeWithLog();
  expect(tree.existing(["no", "where"])).toBeUndefined();
  expect(made).toEqual([]);
});
