import {
  appendFileSync,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { noise } from "../../../fixtures/layers/odd-change.ts";
import { at, codeOf, type RoundCases } from "./round.ts";

const MEBIBYTE = 1 << 20;

export const FILE_ROUNDS: RoundCases = {
  "files below are appended to, cut, overwritten and emptied": [
    at((path) => {
      for (const name of ["append", "cut", "over", "empty", "longer", "kept"])
        writeFileSync(path(name), noise(200_000, name.length));
      mkdirSync(path("d/e"), { recursive: true });
      writeFileSync(path("d/e/deep"), "deep");
    }),
    at((path) => {
      appendFileSync(path("append"), "more");
      truncateSync(path("cut"), 70_001);
      writeAt(path("over"), 65_530, "across two blocks");
      writeFileSync(path("empty"), "");
      truncateSync(path("longer"), 300_000);
      appendFileSync(path("d/e/deep"), "er");
      return readFileSync(path("append")).length;
    }),
    at((path) => {
      appendFileSync(path("append"), "and more");
      writeFileSync(path("empty"), "full again");
      truncateSync(path("longer"), 1);
    }),
  ],
  "files are renamed over files, within and between directories": [
    at((path) => {
      for (const name of ["d", "e"]) mkdirSync(path(name));
      for (const name of ["a", "b", "d/c", "d/f", "e/g"]) writeFileSync(path(name), name);
    }),
    at((path) => {
      renameSync(path("a"), path("b"));
      renameSync(path("d/c"), path("e/c"));
      renameSync(path("e/g"), path("d/f"));
      writeFileSync(path("new"), "new");
      renameSync(path("new"), path("e/new"));
      return codeOf(() => renameSync(path("d/f"), path("e")));
    }),
    at((path) => {
      renameSync(path("b"), path("a"));
      renameSync(path("e/c"), path("d/c"));
      writeFileSync(path("e/g"), "again");
    }),
  ],
  // rpm and dpkg write their databases so
  "a file is replaced by a rename, again and again": Array.from({ length: 6 }, (_, turn) =>
    at((path) => {
      writeFileSync(path("status-new"), noise(9000, turn + 1));
      if (turn > 0) copyFileSync(path("status"), path("status-old"));
      renameSync(path("status-new"), path("status"));
    }),
  ),
  "files are taken away, and others made in their place": [
    at((path) => {
      for (const name of ["file", "to-link", "to-dir", "to-fifo"]) writeFileSync(path(name), name);
      symlinkSync("file", path("link"));
    }),
    at((path) => {
      for (const name of ["file", "to-link", "to-dir", "link"]) unlinkSync(path(name));
      writeFileSync(path("file"), "another", { flag: "wx" });
      symlinkSync("nowhere", path("to-link"));
      mkdirSync(path("to-dir"));
      writeFileSync(path("link"), "a file now");
      return [
        codeOf(() => writeFileSync(path("file"), "", { flag: "wx" })),
        codeOf(() => mkdirSync(path("to-dir"))),
        codeOf(() => symlinkSync("x", path("to-fifo"))),
        codeOf(() => linkSync(path("file"), path("to-link"))),
        codeOf(() => unlinkSync(path("gone"))),
      ];
    }),
    at((path) => {
      rmSync(path("to-dir"), { recursive: true });
      for (const name of ["to-link", "to-fifo"]) unlinkSync(path(name));
      writeFileSync(path("to-dir"), "a file again");
    }),
    at((path) => codeOf(() => lstatSync(path("to-link")))),
  ],
  "hard links are made to files below, and names taken away": [
    at((path) => {
      mkdirSync(path("d"));
      for (const name of ["a", "d/b", "c"]) writeFileSync(path(name), name);
    }),
    at((path) => {
      linkSync(path("a"), path("d/a"));
      linkSync(path("d/b"), path("b"));
      unlinkSync(path("d/b"));
      writeFileSync(path("new"), "new");
      linkSync(path("new"), path("d/new"));
      return [statSync(path("a")).nlink, statSync(path("b")).nlink];
    }),
    at((path) => {
      unlinkSync(path("a"));
      writeFileSync(path("a"), "parted");
      unlinkSync(path("new"));
    }),
  ],
  "holes below stay holes when something is appended": [
    at((path) => {
      writeFileSync(path("big"), "first");
      truncateSync(path("big"), 120 * MEBIBYTE);
      appendFileSync(path("big"), "end");
    }),
    at((path, keeps) => {
      appendFileSync(path("big"), "more");
      const { size, blocks } = statSync(path("big"));
      return { size, isSmall: !keeps.holes || blocks * 512 < 4 * MEBIBYTE };
    }),
    at((path, keeps) => {
      writeAt(path("big"), 60 * MEBIBYTE, "middle");
      const { size, blocks } = statSync(path("big"));
      return { size, isSmall: !keeps.holes || blocks * 512 < 4 * MEBIBYTE };
    }),
  ],
  "a file that was removed can still be read and written by who has it open": [
    at((path) => writeFileSync(path("f"), "content")),
    at((path) => {
      const fd = openSync(path("f"), constants.O_RDWR);
      unlinkSync(path("f"));
      writeSync(fd, "CON", 0);
      ftruncateSync(fd, 5);
      const content = readFileSync(fd, "latin1");
      closeSync(fd);
      return [content, codeOf(() => lstatSync(path("f")))];
    }),
    at((path) => writeFileSync(path("f"), "another")),
  ],
  "names of 255 bytes and names that overlay or AUFS would use": [
    at((path) => {
      for (const name of ["n".repeat(255), ".wh.file", "file", ".wh..wh..opq", "#1", "work"])
        writeFileSync(path(name), name);
      mkdirSync(path("d"));
      writeFileSync(path("d/shown"), "");
    }),
    at((path) => {
      unlinkSync(path("n".repeat(255)));
      appendFileSync(path(".wh.file"), "more");
      writeFileSync(path("d/.wh..wh..opq"), "");
      writeFileSync(path("d/.wh.shown"), "");
      return codeOf(() => writeFileSync(path("n".repeat(256)), ""));
    }),
    at((path) => {
      writeFileSync(path("n".repeat(255)), "again");
      unlinkSync(path(".wh.file"));
    }),
  ],
  "what only root may read is still copied": [
    at((path) => {
      writeFileSync(path("secret"), "s", { mode: 0 });
      writeFileSync(path("only-run"), "r", { mode: 0o111 });
      mkdirSync(path("shut"), { mode: 0 });
      chmodSync(path("shut"), 0);
      writeFileSync(path("shut/inside"), "i");
    }),
    at((path) => {
      appendFileSync(path("secret"), "more");
      appendFileSync(path("shut/inside"), "more");
      unlinkSync(path("only-run"));
    }),
  ],
};

function writeAt(path: string, position: number, text: string): void {
  const fd = openSync(path, constants.O_WRONLY);
  writeSync(fd, text, position);
  closeSync(fd);
}
