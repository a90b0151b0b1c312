import {
  type Change,
  device,
  dir,
  fifo,
  file,
  link,
  remove,
  symlink,
} from "../../../fixtures/layers/change.ts";
import type { LayerCases } from "./layers.ts";

const CAPABILITY = "\x01\0\0\x02\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

export const TYPE_CASES: LayerCases = {
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
  "every type in the place of every other": [
    eachPair((make, from, to) => make(`${from}-${to}`, from)),
    eachPair((make, from, to) => make(`${from}-${to}`, to)),
  ],
  "every type twice in one layer": [
    [dir("x"), ...eachPair((make, from, to) => make(`${from}-${to}`, from))].concat(
      eachPair((make, from, to) => make(`${from}-${to}`, to)),
    ),
  ],
  "every type in the place of what the layer between took away": [
    eachPair((make, from, to) => make(`${from}-${to}`, from)),
    eachPair((_, from, to) => remove(`${from}-${to}`)),
    eachPair((make, from, to) => make(`${from}-${to}`, to)),
  ],
  "a file over a directory, and a directory again": [
    [dir("d"), file("d/f", "hidden"), dir("d/e"), file("d/e/g", "hidden")],
    [file("d", "now a file")],
    [dir("d", { mode: 0o700 }), file("d/h", "shown")],
    [file("d/e", "a file where a directory was")],
  ],
  "a directory over a file, and a file again": [
    [file("f", "first", { mode: 0o600, uid: 4 })],
    [dir("f"), file("f/inside")],
    [file("f", "second")],
    [remove("f")],
    [file("f", "third")],
  ],
  "devices, a fifo and no others": [
    [
      device("char", "zero", [0, 1], { mode: 0o600 }),
      device("char", "far", [511, 255], { mode: 0o666, uid: 1, gid: 2 }),
      device("block", "minor", [259, 262_143]),
      fifo("pipe", { mode: 0o1622, mtime: { seconds: 3, nanoseconds: 7 } }),
    ],
    [device("char", "zero", [1, 5], { mode: 0o640 }), remove("minor"), fifo("far")],
  ],
};

type Make = (path: string, type: string) => Change;

/** A change for each pair of types. */
function eachPair(each: (make: Make, from: string, to: string) => Change): Change[] {
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
