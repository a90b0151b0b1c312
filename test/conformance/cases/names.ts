import { dir, file, link, remove, symlink } from "../../../fixtures/layers/change.ts";
import { rawNamed } from "../../../fixtures/layers/odd-change.ts";
import type { LayerCases } from "./layers.ts";

const NON_UTF8 = "caf\xe9";
/** Bytes that a name can have: all but NUL and the slash. */
const BYTES = Array.from({ length: 255 }, (_, at) => at + 1).filter((byte) => byte !== 0x2f);

function bytesFrom(start: number): string {
  return Buffer.from(BYTES.slice(start, start + 127)).toString("latin1");
}

/** 64 directories in each other; paths of 3,700 bytes, near the 4,096 that the kernel takes. */
const DEEP = Array.from({ length: 64 }, (_, at) => `${at}-`.padEnd(57, "d")).join("/");

export const NAME_CASES: LayerCases = {
  "names that are not UTF-8, and long ones": [
    [rawNamed(file("x"), NON_UTF8), file("n".repeat(255))],
    [remove("n".repeat(251)), file(`${"d".repeat(200)}/${"e".repeat(200)}`)],
  ],
  "names that are not UTF-8, of every type, linked, taken away and replaced": [
    [
      rawNamed(dir("x"), "d\xff"),
      rawNamed(file("x", "1"), "d\xff/f\xfe"),
      rawNamed(symlink("x", ""), "s\xfd", "d\xff/f\xfe"),
      rawNamed(link("x", ""), "h\xfc", "d\xff/f\xfe"),
      rawNamed(file("x"), "gone\xfb"),
    ],
    [
      rawNamed(file("x"), ".wh.gone\xfb"),
      rawNamed(file("x", "2"), "d\xff/g\xfa"),
      rawNamed(link("x", ""), "later\xf9", "h\xfc"),
    ],
  ],
  "names of every byte": [
    [rawNamed(file("x", "1"), bytesFrom(0)), rawNamed(dir("x"), bytesFrom(127))],
    [rawNamed(file("x"), `${bytesFrom(127)}/${bytesFrom(0)}`)],
    [rawNamed(file("x"), `.wh.${bytesFrom(0)}`)],
  ],
  "names that mean something to a shell or in mount options": [
    ["a:b", "a,b", "upperdir=x", "a\\b", "a\\:b", "a b", "-rf", "*", "$(x)", "%s", "~", "#"].map(
      (name) => file(`${name}/${name}`, name),
    ),
    [remove("a:b/a:b"), remove("a,b"), file("upperdir=x/new")],
  ],
  "names of 255 bytes, of every kind and in each other": [
    [
      dir("d".repeat(255)),
      file(`${"d".repeat(255)}/${"f".repeat(255)}`, "1"),
      symlink("s".repeat(255), "d".repeat(255)),
      link("h".repeat(255), `${"d".repeat(255)}/${"f".repeat(255)}`),
      file("w".repeat(251)),
    ],
    [file(`${"s".repeat(255)}/${"g".repeat(255)}`), remove("w".repeat(251))],
  ],
  "names that differ only in case, or in how an accent is written": [
    [file("readme", "1"), file("README", "2"), file("caf\u00e9", "3"), file("cafe\u0301", "4")],
    [remove("README"), remove("cafe\u0301")],
  ],
  "paths 64 directories deep and 3,700 bytes long": [
    [file(`${DEEP}/old`, "1"), file(`${DEEP}/gone`)],
    [file(`${DEEP}/new`, "2"), remove(`${DEEP}/gone`)],
    [link("top", `${DEEP}/old`), dir(DEEP, { mode: 0o700, mtime: 4 })],
  ],
};
