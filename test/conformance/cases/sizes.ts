import { dir, file, opaque, remove } from "../../../fixtures/layers/change.ts";
import { binary, noise, sparse } from "../../../fixtures/layers/odd-change.ts";
import type { LayerCases } from "./layers.ts";

const MEBIBYTE = 1 << 20;

function numbered(count: number, each: (at: number) => string) {
  return Array.from({ length: count }, (_, at) => file(each(at), `${at}`));
}

export const SIZE_CASES: LayerCases = {
  "files of every size around a block": [
    [1, 511, 512, 513, 4095, 4096, 4097, 65_535, 65_536, 65_537, MEBIBYTE + 1].map((size) =>
      binary(`f${size}`, noise(size, size)),
    ),
    [binary("f4096", noise(10)), binary("f1", noise(MEBIBYTE)), file("f512")],
  ],
  "a directory of 10,000 names": [
    numbered(10_000, (at) => `d/${at}`),
    [remove("d/17"), file("d/18", "replaced"), file("d/new")],
  ],
  "a directory of 2,000 names of which every second goes, then all": [
    [...numbered(2000, (at) => `d/${at}`), ...numbered(2000, (at) => `e/${at}`)],
    Array.from({ length: 1000 }, (_, at) => remove(`d/${at * 2}`)),
    [dir("e"), opaque("e"), file("e/only")],
  ],
  "3,000 small files in 300 directories": [
    numbered(3000, (at) => `${at % 10}/${at % 300}/${at}`),
    numbered(300, (at) => `${at % 10}/${at}/new`),
  ],
  "holes at the start, between and at the end of files": [
    [
      sparse("start", 3 * MEBIBYTE, [[3 * MEBIBYTE - 4, "tail"]]),
      sparse("middle", 5 * MEBIBYTE, [
        [0, "head"],
        [2 * MEBIBYTE + 1, "between"],
        [5 * MEBIBYTE - 4, "tail"],
      ]),
      sparse("end", 2 * MEBIBYTE, [[0, "head"]]),
      sparse("nothing", MEBIBYTE, []),
    ],
    [sparse("end", 3 * MEBIBYTE, [[MEBIBYTE, "other"]])],
  ],
  "a file of 160 MiB, nearly all of it holes": [
    [
      sparse("big", 160 * MEBIBYTE, [
        [0, "first"],
        [100 * MEBIBYTE, "hundred"],
        [160 * MEBIBYTE - 4, "last"],
      ]),
    ],
    [file("beside")],
  ],
};
