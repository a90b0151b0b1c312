import {
  type Change,
  device,
  dir,
  fifo,
  file,
  link,
  opaque,
  remove,
  symlink,
} from "../../fixtures/layers/change.ts";

const CAPABILITY = "\x01\0\0\x02\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
const NON_UTF8 = "caf\xe9";

/** Layers that storage drivers have got wrong, base first. */
export const CASES: Readonly<Record<string, readonly (readonly Change[])[]>> = {
  "one layer with everything in it": [
    [
      dir("./", { mode: 0o700, uid: 3, gid: 4, mtime: 12 }),
      dir("d", {
        mode: 0o1777,
        gid: 5,
        mtime: { seconds: 1_700_000_000, nanoseconds: 123_456_789 },
      }),
      file("d/f", "content", { mode: 0o4755, uid: 1000, gid: 1001 }),
      symlink("d/s", "../nowhere", { uid: 7, mtime: 77 }),
      link("h", "d/f"),
      fifo("p", { mode: 0o620 }),
      device("char", "null", [1, 3], { mode: 0o666, gid: 5, mtime: 99 }),
      device("block", "disk", [8, 300], { uid: 6 }),
      file("capable", "elf", { mode: 0o755, xattrs: { "security.capability": CAPABILITY } }),
      file("empty"),
    ],
  ],
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
  "an opaque directory hides what is below, not what is beside the marker": [
    [dir("d"), file("d/old"), dir("d/sub"), file("d/sub/old")],
    [dir("d", { mode: 0o750 }), file("d/new"), opaque("d"), file("d/sub/new")],
    [file("d/newest")],
  ],
  "an opaque marker in a directory that no entry describes": [
    [dir("d", { mode: 0o711, mtime: 5 }), file("d/old")],
    [opaque("d")],
  ],
  // containers/storage, docs of opaque whiteouts: plain ones inside must not show
  "whiteouts inside an opaque directory": [
    [dir("d"), file("d/a"), dir("d/e"), file("d/e/b")],
    [dir("d"), remove("d/a"), opaque("d"), dir("d/e"), remove("d/e/b"), file("d/c")],
  ],
  "a whiteout in a directory that an opaque one implies leaves no directory": [
    [dir("d"), dir("d/e"), file("d/e/b")],
    [dir("d"), opaque("d"), remove("d/e/b")],
  ],
  "an opaque root": [
    [dir("./", { mode: 0o700, uid: 8 }), file("a"), dir("d"), file("d/f")],
    [opaque(""), file("b"), file("d/g")],
    [file("d/h"), file("c")],
  ],
  "parents that the layer does not list keep what they were": [
    [
      dir("a", { mode: 0o2711, uid: 5, gid: 6, mtime: 100, xattrs: { "user.k": "v" } }),
      dir("a/b", { mode: 0o700 }),
    ],
    [file("a/b/c/d", "deep")],
  ],
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
  "a symlink within one layer": [
    [dir("usr/lib"), symlink("lib", "usr/lib"), file("lib/a"), link("b", "lib/a")],
    [remove("lib/a")],
  ],
  "a hard link to a symlink is that symlink": [
    [dir("d"), symlink("s", "d"), link("t", "s"), file("t/f")],
    [link("u", "t")],
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
  "every type in the place of every other": [
    TYPES((make, from, to) => make(`${from}-${to}`, from)),
    TYPES((make, from, to) => make(`${from}-${to}`, to)),
  ],
  "every type twice in one layer": [
    [dir("x"), ...TYPES((make, from, to) => make(`${from}-${to}`, from))].concat(
      TYPES((make, from, to) => make(`${from}-${to}`, to)),
    ),
  ],
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
  "a hard link to a device, and one to a link to it": [
    [device("char", "n", [1, 3], { mode: 0o666 }), link("m", "n"), link("o", "m")],
    [link("q", "n")],
  ],
  "a device whose directory is replaced": [
    [dir("d"), device("char", "d/n", [1, 3]), file("d", "now a file")],
    [file("x"), dir("e"), link("e/l", "x"), file("e", "now a file")],
  ],
  "attributes of what is replaced are not kept": [
    [
      file("f", "", { xattrs: { "trusted.a": "b", "user.a": "b" } }),
      file("f", "again"),
      dir("d", { xattrs: { "trusted.a": "b" } }),
      symlink("d", "f"),
    ],
  ],
  "attributes of every kind": [
    [
      file("f", "", {
        xattrs: {
          "user.text": "v",
          "user.binary": "\0\x80\xff",
          "user.empty": "",
          "trusted.t": "1",
        },
      }),
      dir("d", { xattrs: { "user.d": "1", "trusted.d": "2" } }),
      symlink("s", "f", { xattrs: { "trusted.s": "3" } }),
      device("char", "n", [1, 3], { xattrs: { "trusted.n": "4" } }),
      file("fake", "", { xattrs: { "trusted.overlay.opaque": "y", "user.overlay.whiteout": "" } }),
      dir("fake-dir", {
        xattrs: { "trusted.overlay.opaque": "y", "trusted.overlay.redirect": "/d" },
      }),
    ],
    [dir("fake-dir", { xattrs: { "trusted.overlay.opaque": "y" } }), file("d/new")],
  ],
  "times before 1970, with nanoseconds, and beyond 2038": [
    [
      file("before", "", { mtime: { seconds: -2, nanoseconds: 750_000_000 } }),
      file("ns", "", { mtime: { seconds: 1, nanoseconds: 1 } }),
      file("late", "", { mtime: 4_294_967_296 }),
      dir("d", { mtime: { seconds: -1, nanoseconds: 1 } }),
      symlink("s", "d", { mtime: { seconds: 5, nanoseconds: 5 } }),
    ],
    [file("d/f")],
  ],
  "names that are not UTF-8, and long ones": [
    [
      { ...file("x"), entry: { ...file("x").entry, path: NON_UTF8 as never } },
      file("n".repeat(255)),
    ],
    [remove("n".repeat(251)), file(`${"d".repeat(200)}/${"e".repeat(200)}`)],
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
  "an entry for the root changes nothing but the root": [
    [file("a")],
    [dir("./", { mode: 0o711, uid: 2, mtime: 9 })],
    [dir("/", { mode: 0o755 })],
    [],
  ],
  "an empty layer between others": [[file("a")], [], [file("b")]],
};

type Make = (path: string, type: string) => Change;

/** A change for each pair of types. */
function TYPES(each: (make: Make, from: string, to: string) => Change): Change[] {
  const makers: Readonly<Record<string, (path: string) => Change>> = {
    file: (path) => file(path, path, { uid: 3 }),
    dir: (path) => dir(path, { mode: 0o711 }),
    symlink: (path) => symlink(path, "target"),
    fifo: (path) => fifo(path),
    char: (path) => device("char", path, [1, 5]),
    block: (path) => device("block", path, [7, 1]),
  };
  const make: Make = (path, type) => (makers[type] ?? file)(path);
  const types = Object.keys(makers);
  return types.flatMap((from) => types.map((to) => each(make, from, to)));
}
