import { expect, it } from "vitest";
import { dir, file, remove, symlink } from "../../../../fixtures/layers/change.ts";
import { applyLayer } from "../../../../src/image/tree/apply-layer.ts";
import { findPath } from "../../../../src/image/tree/find-path.ts";
import { ImageTree } from "../../../../src/image/tree/image-tree.ts";
import { byteStringOf } from "../../../../src/layer/tar/byte-string.ts";

const LAYERS = [
  [
    ...["usr", "usr/lib", "gone"].map((path) => dir(path)),
    file("usr/lib/tool"),
    file("gone/file"),
    symlink("lib", "usr/lib"),
    symlink("usr/up", "../../../lib"),
    symlink("usr/abs", "/lib/tool"),
    symlink("nowhere", "no/where"),
    symlink("round", "about"),
    symlink("about", "round"),
  ],
  [remove("gone")],
];

function find(path: string, follow = false): string | undefined {
  const tree = new ImageTree();
  for (const changes of LAYERS)
    applyLayer(
      tree,
      changes.map(({ entry }) => ({ ...entry, target: entry.linkPath })),
    );
  const found = findPath(tree.root, byteStringOf(path), follow);
  return typeof found === "object" ? found.path : found;
}

it("paths lead where they would in a container", () => {
  expect(find("/lib/tool")).toBe("usr/lib/tool");
  expect(find("lib")).toBe("lib");
  expect(find("lib/")).toBe("usr/lib");
  expect(find("lib", true)).toBe("usr/lib");
  expect(find("/usr/up/../up/tool")).toBe("usr/lib/tool");
  expect(find("/usr/abs")).toBe("usr/abs");
  expect(find("/usr/abs", true)).toBe("usr/lib/tool");
  expect(find("/../../usr/./lib//tool")).toBe("usr/lib/tool");
  expect(find("/")).toBe("");
});

it("what is gone is found where it was; what never was, or leads in a circle, is not", () => {
  expect(find("/gone/file")).toBe("gone/file");
  expect(find("/nothing")).toBeUndefined();
  expect(find("/nowhere")).toBe("nowhere");
  expect(find("/nowhere", true)).toBeUndefined();
  expect(find("/round", true)).toBe("circle");
  expect(find("/round/x")).toBe("circle");
});
