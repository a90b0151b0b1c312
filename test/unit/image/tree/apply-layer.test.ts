import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Change,
  dir,
  file,
  link,
  opaque,
  remove,
  symlink,
} from "../../../../fixtures/layers/change.ts";
import { applyLayer } from "../../../../src/image/tree/apply-layer.ts";
import { ImageTree, type TreeNode } from "../../../../src/image/tree/image-tree.ts";
import type { LayerIndex } from "../../../../src/image/tree/layer-index.ts";
import { CASES } from "../../../conformance/cases.ts";
import {
  applyLayer as applyToModel,
  type ModelDirectory,
  type ModelNode,
  Refused,
  Unsettled,
} from "../../../conformance/model.ts";

function indexOf(changes: readonly Change[]): LayerIndex {
  return changes.map(({ entry: { path, type, size, linkPath } }) => ({
    ...{ path, type, size },
    target: linkPath,
  }));
}

/** `path type target`, each path of a tree. */
function linesOf(node: TreeNode, path = ""): string[] {
  const { version } = node;
  if (version === undefined) return [];
  const own = `${path} ${version.type} ${version.target}`;
  return [own, ...[...node.children].flatMap(([name, child]) => linesOf(child, `${path}/${name}`))];
}

function linesOfModel(node: ModelNode, path = ""): string[] {
  if (node.kind === "dir") {
    const below = [...node.children].flatMap(([n, child]) => linesOfModel(child, `${path}/${n}`));
    return [`${path} dir `, ...below];
  }
  return [`${path} ${node.type} ${node.target}`];
}

function treeOf(layers: readonly (readonly Change[])[]) {
  const tree = new ImageTree();
  const changes = layers.map((layer) => applyLayer(tree, indexOf(layer)));
  return { tree, changes };
}

describe("an image's tree from the archives of its layers", () => {
  for (const [title, layers] of Object.entries(CASES))
    it(`is the one that drivers show: ${title}`, () => {
      const model = modelOf(layers);
      if (model === undefined) return;
      expect(linesOf(treeOf(layers).tree.root).sort()).toEqual(linesOfModel(model).sort());
    });

  it("is the one that drivers show, of random layers", () => {
    const property = fc.property(LAYERS, (layers) => {
      const expected = modelOf(layers);
      if (expected === undefined) return;
      const actual = linesOf(treeOf(layers).tree.root);
      expect(actual.sort()).toEqual(linesOfModel(expected).sort());
    });
    fc.assert(property, { numRuns: 500 });
  });

  it("files are counted as added, replaced and deleted, once each, whatever way they went", () => {
    const { changes } = treeOf([
      [dir("d"), file("d/a"), file("d/b"), file("c"), file("c", "again"), symlink("s", "c")],
      [remove("d"), dir("d"), file("d/a", "new"), file("e"), dir("c")],
      [opaque("d"), file("d/z"), remove("e"), remove("nothing"), link("l", "s")],
    ]);
    expect(changes).toEqual([
      { added: 4, replaced: 0, deleted: 0 },
      { added: 1, replaced: 1, deleted: 2 },
      { added: 2, replaced: 0, deleted: 2 },
    ]);
  });
});

function modelOf(layers: readonly (readonly Change[])[]): ModelDirectory | undefined {
  try {
    return layers.reduce<ModelDirectory | undefined>(applyToModel, undefined);
  } catch (error) {
    // What is refused is never in a store, and the twisted is nobody's promise.
    if (error instanceof Refused || error instanceof Unsettled) return undefined;
    throw error;
  }
}

/** Few names, so that most changes meet others. */
const NAME = fc.constantFrom("a", "b", "c");
const PATH = fc.array(NAME, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const TARGET = fc.oneof(
  PATH,
  PATH.map((to) => `/${to}`),
  NAME.map((to) => `../${to}`),
);
const CHANGE: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: PATH.map((path) => dir(path)) },
  { weight: 5, arbitrary: fc.tuple(PATH, fc.constantFrom("", "1", "22")).map((of) => file(...of)) },
  { weight: 4, arbitrary: PATH.map((path) => remove(path)) },
  { weight: 2, arbitrary: fc.tuple(PATH, PATH).map((of) => link(...of)) },
  { weight: 1, arbitrary: fc.oneof(PATH, fc.constant("")).map((path) => opaque(path)) },
  { weight: 1, arbitrary: fc.tuple(PATH, TARGET).map((of) => symlink(...of)) },
);
const LAYERS = fc.array(fc.array(CHANGE, { maxLength: 8 }), { minLength: 1, maxLength: 4 });
