import { device, dir, fifo, file, link, remove } from "../../../fixtures/layers/change.ts";
import type { LayerCases } from "./layers.ts";

export const LINK_CASES: LayerCases = {
  "a hard link to a file of a lower layer": [
    [dir("d"), file("d/f", "shared", { mode: 0o4711, uid: 3, xattrs: { "user.a": "b" } })],
    [link("l", "d/f"), link("m", "l")],
  ],
  "a hard link to a file with several names below": [
    [dir("d"), file("d/f", "shared"), link("d/g", "d/f"), link("h", "d/f")],
    [link("l", "d/g")],
    [remove("d/f")],
  ],
  "a hard link to a file that the same layer takes away or replaces": [
    [file("f", "old"), file("g", "old g"), file("h", "old h")],
    [
      link("a", "f"),
      remove("f"),
      link("b", "g"),
      file("g", "new g"),
      file("h", "new h"),
      link("c", "h"),
    ],
  ],
  "hard links whose target is replaced": [
    [file("f", "1"), link("g", "f"), file("f", "2"), link("h", "f")],
    [file("g", "3")],
  ],
  "one name of a hard link below gets other content, another mode, another owner": [
    [file("a", "old"), link("b", "a"), file("c", "old"), link("d", "c"), link("e", "c")],
    [file("a", "new"), file("c", "old", { mode: 0o600, uid: 5 })],
    [link("f", "e"), file("d", "old", { mtime: 9 })],
  ],
  "hard links over three layers": [
    [dir("d"), file("d/one", "x")],
    [link("two", "d/one")],
    [link("d/three", "two"), remove("d/one")],
    [file("two", "parted")],
  ],
  "names that are linked differently from layer to layer": [
    [file("a", "1"), link("b", "a"), file("c", "2"), link("d", "c")],
    [link("b", "c"), link("d", "a")],
  ],
  "a hard link to a device, and one to a link to it": [
    [device("char", "n", [1, 3], { mode: 0o666 }), link("m", "n"), link("o", "m")],
    [link("q", "n")],
  ],
  "hard links to a fifo and to an empty file": [
    [fifo("p", { mode: 0o600 }), file("e")],
    [link("q", "p"), link("f", "e")],
  ],
  "a device whose directory is replaced": [
    [dir("d"), device("char", "d/n", [1, 3]), file("d", "now a file")],
    [file("x"), dir("e"), link("e/l", "x"), file("e", "now a file")],
  ],
  "a file of three hundred names": [
    [file("f", "shared"), ...Array.from({ length: 299 }, (_, at) => link(`n/${at}`, "f"))],
    [remove("n/7"), link("again", "n/8"), file("n/9", "parted")],
  ],
};
