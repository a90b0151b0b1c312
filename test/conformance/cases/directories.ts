import { dir, file, opaque, remove, symlink } from "../../../fixtures/layers/change.ts";
import type { LayerCases } from "./layers.ts";

export const DIRECTORY_CASES: LayerCases = {
  // moby/moby#25244
  "a directory removed, then made again": [
    [dir("lib"), file("lib/hidden")],
    [remove("lib"), dir("lib"), file("lib/shown")],
    [file("lib/later")],
  ],
  "a directory made again before its whiteout in the archive": [
    [dir("lib", { mode: 0o700 }), file("lib/hidden")],
    [dir("lib"), file("lib/shown"), remove("lib")],
  ],
  "a directory removed, then only implied by what is in it": [
    [dir("lib", { mode: 0o700, uid: 9 }), file("lib/hidden")],
    [remove("lib"), file("lib/shown")],
  ],
  // containers/fuse-overlayfs#136: what was in a directory further down came back
  "a directory removed by one layer, made again with its subdirectories by the next": [
    [dir("a"), dir("a/b"), file("a/b/hidden"), file("a/hidden")],
    [remove("a")],
    [dir("a"), dir("a/b")],
    [file("a/b/shown")],
  ],
  // moby/buildkit#2614
  "a directory removed, made again, removed and implied": [
    [dir("d"), file("d/1")],
    [remove("d")],
    [dir("d", { mode: 0o700 }), file("d/2")],
    [remove("d")],
    [file("d/3")],
  ],
  "a directory made again whose subdirectory the layer only implies": [
    [dir("a"), dir("a/b", { mode: 0o700, uid: 8 }), file("a/b/hidden")],
    [remove("a"), dir("a", { mode: 0o711 }), file("a/b/shown")],
  ],
  "an opaque directory hides what is below, not what is beside the marker": [
    [dir("d"), file("d/old"), dir("d/sub"), file("d/sub/old")],
    [dir("d", { mode: 0o750 }), file("d/new"), opaque("d"), file("d/sub/new")],
    [file("d/newest")],
  ],
  "an opaque marker in a directory that no entry describes": [
    [dir("d", { mode: 0o711, mtime: 5 }), file("d/old")],
    [opaque("d")],
  ],
  "an opaque directory over a file": [
    [file("f", "was a file"), dir("d"), file("d/g", "was another")],
    [dir("f"), opaque("f"), file("f/x"), dir("d/g"), opaque("d/g")],
    [file("f/y"), file("d/g/z")],
  ],
  "an opaque directory over a symlink to a directory": [
    [dir("real"), file("real/kept"), symlink("s", "real")],
    [dir("s"), opaque("s"), file("s/x")],
  ],
  "an opaque directory over nothing, and one that holds nothing": [
    [dir("full"), file("full/f")],
    [dir("new"), opaque("new"), dir("full"), opaque("full")],
    [file("new/f"), file("full/g")],
  ],
  "opaque directories in each other": [
    [dir("a"), dir("a/b"), dir("a/b/c"), file("a/b/c/1"), file("a/b/2"), file("a/3")],
    [dir("a"), opaque("a"), dir("a/b"), opaque("a/b"), file("a/b/4")],
    [dir("a/b/c"), opaque("a/b/c"), file("a/b/c/5")],
    [opaque("a/b"), file("a/b/6")],
  ],
  "a directory opaque in one layer, filled and opaque in later ones": [
    [dir("d"), file("d/1")],
    [opaque("d"), file("d/2")],
    [file("d/3")],
    [opaque("d"), file("d/4")],
    [file("d/1", "again")],
  ],
  "an opaque root": [
    [dir("./", { mode: 0o700, uid: 8 }), file("a"), dir("d"), file("d/f")],
    [opaque(""), file("b"), file("d/g")],
    [file("d/h"), file("c")],
  ],
  "an opaque root that describes itself": [
    [dir("./", { mode: 0o700, uid: 8, mtime: 3 }), file("a")],
    [dir("./", { mode: 0o711, gid: 2, mtime: 5 }), opaque(""), dir("d"), file("d/g")],
  ],
  "an opaque root and nothing else": [[file("a"), dir("d")], [opaque("")], [file("b")]],
  "parents that the layer does not list keep what they were": [
    [
      dir("a", { mode: 0o2711, uid: 5, gid: 6, mtime: 100, xattrs: { "user.k": "v" } }),
      dir("a/b", { mode: 0o700 }),
    ],
    [file("a/b/c/d", "deep")],
  ],
  // moby/moby#53257: no entry for any directory
  "directories that no layer describes": [
    [file("a/b/c/1")],
    [file("a/b/d/2"), file("e/3")],
    [remove("a/b/c/1"), remove("e")],
  ],
  "a directory described after what is in it": [
    [file("d/e/f"), dir("d/e", { mode: 0o700, mtime: 8 }), dir("d", { mode: 0o711, mtime: 9 })],
    [file("d/e/g"), dir("d", { mode: 0o500, uid: 2, mtime: 10 })],
  ],
  "a directory described again keeps what is in it": [
    [dir("d", { mode: 0o755 }), file("d/kept"), dir("d/sub"), file("d/sub/kept")],
    [dir("d", { mode: 0o700, uid: 3, gid: 4, mtime: 6, xattrs: { "user.new": "1" } })],
    [dir("d/sub", { mode: 0o2770, gid: 9 })],
  ],
  "an entry for the root changes nothing but the root": [
    [file("a")],
    [dir("./", { mode: 0o711, uid: 2, mtime: 9 })],
    [dir("/", { mode: 0o755 })],
    [],
  ],
  "an empty layer between others": [[file("a")], [], [file("b")]],
  "nothing but empty layers": [[], [], []],
};
