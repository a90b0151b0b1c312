import {
  device,
  dir,
  fifo,
  file,
  link,
  opaque,
  remove,
  symlink,
} from "../../../fixtures/layers/change.ts";
import type { LayerCases } from "./layers.ts";

export const WHITEOUT_CASES: LayerCases = {
  // containers/storage, docs of opaque whiteouts: plain ones inside must not show
  "whiteouts inside an opaque directory": [
    [dir("d"), file("d/a"), dir("d/e"), file("d/e/b")],
    [dir("d"), remove("d/a"), opaque("d"), dir("d/e"), remove("d/e/b"), file("d/c")],
  ],
  "a whiteout in a directory that an opaque one implies leaves no directory": [
    [dir("d"), dir("d/e"), file("d/e/b")],
    [dir("d"), opaque("d"), remove("d/e/b")],
  ],
  "a whiteout of what is not there": [
    [dir("d")],
    [remove("nothing"), remove("d/nothing"), remove("no/where"), remove("no/way/down")],
    [file("d/f")],
  ],
  "a whiteout below a file": [[file("f", "kept")], [remove("f/x")]],
  "a whiteout of what only the same layer has": [[dir("d")], [file("d/f"), remove("d/f")]],
  "whiteouts of everything": [
    [file("f"), dir("d"), file("d/e"), symlink("s", "d"), fifo("p"), device("char", "n", [1, 3])],
    [remove("f"), remove("d"), remove("s"), remove("p"), remove("n")],
    [file("d", "now a file")],
  ],
  "a last layer that only takes away": [
    [dir("a"), file("a/1"), file("a/2"), dir("b"), file("b/3"), file("c")],
    [remove("a/1"), remove("b"), remove("c")],
  ],
  // moby/moby#25193: what a layer deleted was there again in a later one
  "what is taken away stays away in layers above": [
    [dir("d"), file("d/gone"), file("d/kept"), file("gone")],
    [remove("d/gone"), remove("gone")],
    [file("d/other")],
    [dir("d", { mode: 0o700 })],
    [file("last")],
  ],
  "a file taken away and made again, layer by layer": [
    [file("f", "1", { mode: 0o600 })],
    [remove("f")],
    [file("f", "2", { uid: 7 })],
    [remove("f")],
    [],
    [file("f", "3")],
  ],
  "a whiteout beside a new file of its name, before and after it": [
    [file("a", "old"), file("b", "old"), dir("c"), file("c/old"), symlink("d", "c")],
    [
      remove("a"),
      file("a", "new"),
      file("b", "new"),
      remove("b"),
      remove("c"),
      symlink("c", "a"),
      dir("d"),
      remove("d"),
    ],
  ],
  "whiteouts in a directory that the layer describes, and in one that it doesn't": [
    [
      dir("a", { mode: 0o700, uid: 2 }),
      ...["a/1", "a/2"].map((path) => file(path)),
      dir("b", { mode: 0o711, mtime: 4 }),
      ...["b/1", "b/2"].map((path) => file(path)),
    ],
    [dir("a", { mode: 0o750 }), remove("a/1"), remove("b/1")],
  ],
  "a whiteout of one name of a hard link": [
    [file("f", "shared"), link("g", "f"), dir("d"), link("d/h", "f")],
    [remove("f")],
    [remove("d")],
  ],
  "names that begin like whiteouts": [[file(".wh"), file(".whx"), dir("..."), file(".../..x")]],
  "AUFS's leftovers": [
    [
      file("a"),
      dir(".wh..wh.plnk"),
      file(".wh..wh.aufs"),
      dir(".wh..wh.orph"),
      file(".wh..wh.orph/x"),
    ],
  ],
};
