import { lstatSync, readdirSync, type Stats } from "node:fs";
import { join } from "node:path";

const TYPES: readonly (readonly [test: keyof Stats & `is${string}`, letter: string])[] = [
  ["isDirectory", "d"],
  ["isSymbolicLink", "l"],
  ["isCharacterDevice", "c"],
  ["isBlockDevice", "b"],
  ["isFIFO", "p"],
  ["isSocket", "s"],
];

/** Whether a file stands for one that overlayfs hides: a character device 0:0. */
export function isWhiteout(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isCharacterDevice() === true && stat.rdev === 0;
}

/** What is below `directory` and no directory itself, as `ls -l` shows it; paths from there. */
export function listFiles(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .sort()
    .flatMap((path) => {
      const stat = lstatSync(join(directory, path));
      return stat.isDirectory() ? [] : [`${modeOf(stat)} ${sizeOf(stat).padStart(6)}  ${path}`];
    });
}

function modeOf(stat: Stats): string {
  const type = TYPES.find(([test]) => stat[test]())?.[1] ?? "-";
  const bits = [..."rwxrwxrwx"].map((letter, at) => ((stat.mode >> (8 - at)) & 1 ? letter : "-"));
  return type + bits.join("");
}

function sizeOf(stat: Stats): string {
  if (!stat.isCharacterDevice()) return String(stat.size);
  // The device numbers of today's kernels: 12 bits major, 20 bits minor, the latter in two parts.
  const major = (stat.rdev >> 8) & 0xfff;
  const minor = (stat.rdev & 0xff) | ((stat.rdev >> 12) & 0xfff00);
  return `${major}, ${minor}`;
}
