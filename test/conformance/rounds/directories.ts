import {
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { at, codeOf, type Round, type RoundCases, run } from "./round.ts";

/** Two directories with files, and a symlink to one of them. */
const PLANT: Round = at((path) => {
  for (const name of ["d/e/f", "other"]) mkdirSync(path(name), { recursive: true });
  for (const name of ["d/1", "d/e/2", "d/e/f/3", "other/4"]) writeFileSync(path(name), name);
  symlinkSync("d/e", path("s"));
});

export const DIRECTORY_ROUNDS: RoundCases = {
  // containerd's suite skips this one on overlay, moby/moby#33733 lost the moved files
  "a directory below is renamed, and what was in it is changed there": [
    PLANT,
    (root) => {
      run(root, "mv", "d", "moved");
      run(root, "mv", "other", "moved/e");
      return readdirSync(root).sort();
    },
    (root) => {
      writeFileSync(`${root}/moved/e/2`, "changed");
      run(root, "mv", "moved/e", "d");
    },
    (root) => {
      run(root, "mv", "d", "d2");
      run(root, "mv", "moved", "d");
      rmSync(`${root}/d/1`);
    },
  ],
  "a new directory is renamed, also over an empty one": [
    PLANT,
    at((path) => {
      mkdirSync(path("new/inside"), { recursive: true });
      renameSync(path("new"), path("d/new"));
      mkdirSync(path("empty"));
      mkdirSync(path("over"));
      writeFileSync(path("over/f"), "f");
      renameSync(path("over"), path("empty"));
      // rename(2) has two codes for a directory that isn't empty: xfs takes the other one.
      return codeOf(() => renameSync(path("empty"), path("d"))).replace("EEXIST", "ENOTEMPTY");
    }),
    at((path) => {
      rmSync(path("empty"), { recursive: true });
      mkdirSync(path("empty"));
    }),
  ],
  "a directory is removed and made again": [
    PLANT,
    at((path) => {
      rmSync(path("d"), { recursive: true });
      mkdirSync(path("d"));
      return readdirSync(path("d"));
    }),
    at((path) => {
      mkdirSync(path("d/e"));
      return readdirSync(path("s"));
    }),
    at((path) => {
      writeFileSync(path("d/e/2"), "new");
      mkdirSync(path("d/e/f"));
    }),
    at((path) => rmSync(path("d"), { recursive: true })),
    at((path) => {
      mkdirSync(path("d/e"), { recursive: true });
      return readdirSync(path("d/e"));
    }),
  ],
  "a directory becomes a file, a symlink and a directory again": [
    PLANT,
    at((path) => {
      rmSync(path("d"), { recursive: true });
      writeFileSync(path("d"), "a file");
      unlinkSync(path("s"));
      mkdirSync(path("s"));
      writeFileSync(path("s/in"), "");
    }),
    at((path) => {
      unlinkSync(path("d"));
      symlinkSync("other", path("d"));
      return readdirSync(path("d"));
    }),
    at((path) => {
      writeFileSync(path("d/5"), "through the link");
      unlinkSync(path("d"));
      mkdirSync(path("d"));
      return readdirSync(path("d"));
    }),
  ],
  "symlinks below are replaced": [
    PLANT,
    at((path) => {
      symlinkSync("other", path("s-new"));
      renameSync(path("s-new"), path("s"));
      return readdirSync(path("s"));
    }),
    at((path) => {
      unlinkSync(path("s"));
      symlinkSync("/nowhere", path("s"));
    }),
  ],
  "only an empty directory can be removed as one": [
    PLANT,
    at((path) => {
      const full = codeOf(() => rmdirSync(path("d/e/f")));
      unlinkSync(path("d/e/f/3"));
      const links = statSync(path("d/e/f")).isDirectory();
      rmdirSync(path("d/e/f"));
      return [full, links, codeOf(() => rmdirSync(path("d/e/f"))), readdirSync(path("d/e"))];
    }),
    at((path) => {
      mkdirSync(path("d/e/f"));
      return [readdirSync(path("d/e/f")), codeOf(() => rmdirSync(path("d/1")))];
    }),
  ],
  "two thousand names are made, half of them removed, then all": [
    at((path) => {
      mkdirSync(path("many"));
      for (let at = 0; at < 2000; at++) writeFileSync(path(`many/${at}`), "");
    }),
    at((path) => {
      for (let at = 0; at < 2000; at += 2) unlinkSync(path(`many/${at}`));
      return readdirSync(path("many")).length;
    }),
    at((path) => {
      for (const name of readdirSync(path("many"))) unlinkSync(path(`many/${name}`));
      rmdirSync(path("many"));
    }),
    at((path) => {
      mkdirSync(path("many"));
      return readdirSync(path("many"));
    }),
  ],
  "a tree below is copied, then removed": [
    PLANT,
    (root) => run(root, "cp", "-a", "d", "copy"),
    (root) => run(root, "rm", "-r", "d"),
    (root) => run(root, "cp", "-a", "copy", "d"),
  ],
};
