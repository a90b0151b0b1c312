import { dir, file, link, opaque, remove, symlink } from "../../../fixtures/layers/change.ts";
import type { LayerCases } from "./layers.ts";

export const SYMLINK_CASES: LayerCases = {
  "a path through a symlink of a lower layer": [
    [dir("usr"), dir("usr/lib", { mode: 0o711 }), file("usr/lib/old"), symlink("lib", "usr/lib")],
    [file("lib/new"), dir("lib/sub", { mode: 0o700 }), file("lib/sub/x")],
    [remove("lib/old"), file("lib/sub/y")],
  ],
  "a path through an absolute symlink, and through one that climbs to the root": [
    [
      dir("usr"),
      dir("usr/lib"),
      symlink("lib", "/usr/lib"),
      dir("d"),
      symlink("d/up", "../usr/./lib/"),
    ],
    [file("lib/a"), file("d/up/b")],
  ],
  "a path through a symlink whose target is not there yet": [
    [symlink("lib", "usr/lib")],
    [file("lib/a/b")],
  ],
  "what is written through a symlink joins what is written beside it": [
    [
      dir("usr"),
      dir("usr/lib", { mode: 0o700 }),
      dir("usr/lib/x", { mode: 0o755 }),
      symlink("lib", "usr/lib"),
    ],
    [dir("usr/lib/x", { mode: 0o711, mtime: 3 }), file("lib/x/f"), file("lib/g")],
  ],
  "a described directory through a symlink keeps its description": [
    [dir("usr"), dir("usr/lib"), dir("usr/lib/x", { mode: 0o755 }), symlink("lib", "usr/lib")],
    [file("usr/lib/x/f"), dir("lib/x", { mode: 0o711, uid: 4, mtime: 3 })],
  ],
  "a symlink taken away, and a directory in its place": [
    [dir("usr"), dir("usr/lib"), file("usr/lib/kept"), symlink("lib", "usr/lib")],
    [remove("lib"), file("lib/new")],
  ],
  "an opaque marker through a symlink": [
    [dir("usr"), dir("usr/lib"), file("usr/lib/old"), symlink("lib", "usr/lib")],
    [file("lib/new"), opaque("lib")],
  ],
  "a directory in the place of a symlink": [
    [dir("usr"), dir("usr/lib"), file("usr/lib/kept"), symlink("lib", "usr/lib")],
    [dir("lib"), file("lib/new")],
  ],
  "a symlink in the place of a full directory": [
    [dir("lib"), file("lib/old"), dir("usr"), dir("usr/lib"), file("usr/lib/kept")],
    [symlink("lib", "usr/lib")],
    [file("lib/new")],
  ],
  "a symlink that turns round, layer by layer": [
    [dir("a"), dir("b"), symlink("s", "a")],
    [file("s/1")],
    [symlink("t", "s")],
    [symlink("s", "b")],
    [file("s/2"), file("t/3")],
  ],
  "a symlink within one layer": [
    [dir("usr/lib"), symlink("lib", "usr/lib"), file("lib/a"), link("b", "lib/a")],
    [remove("lib/a")],
  ],
  "a hard link to a symlink is that symlink": [
    [dir("d"), symlink("s", "d"), link("t", "s"), file("t/f")],
    [link("u", "t")],
  ],
  "targets of every length that is kept in its own way": [
    [1, 15, 59, 60, 61, 95, 255, 256, 1000].map((length) =>
      symlink(`to-${length}`, "x".repeat(length), { uid: length }),
    ),
    [symlink("to-1", "y".repeat(1000)), symlink("to-1000", "y"), remove("to-60")],
  ],
};
