import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SOURCES = join(import.meta.dirname, "../../../src/launcher");

export interface Weakness {
  /** Names for the preprocessor. */
  readonly defines?: readonly string[];
  /** Text to put in place of another, which must be there. */
  readonly edits?: readonly {
    readonly file: string;
    readonly from: string;
    readonly to: string;
  }[];
}

/** Compiles a launcher that lacks a protection which is no step of a tape. @returns its path */
export function weakLauncher(directory: string, weakness: Weakness): string {
  const sources = join(directory, "launcher-sources");
  mkdirSync(directory, { recursive: true });
  cpSync(SOURCES, sources, { recursive: true });
  for (const { file, from, to } of weakness.edits ?? []) {
    const text = readFileSync(join(sources, file), "utf8");
    if (!text.includes(from)) throw new Error(`${file} has nothing to weaken: ${from}`);
    writeFileSync(join(sources, file), text.replace(from, to));
  }
  const files = readdirSync(sources).filter((name) => name.endsWith(".c"));
  const program = join(directory, "launcher");
  const options = ["-std=gnu17", "-O1", "-static", "-D_GNU_SOURCE", "-o", program];
  const defines = (weakness.defines ?? []).map((name) => `-D${name}`);
  const argv = [...options, ...defines, ...files.map((name) => join(sources, name))];
  const { status, stderr } = spawnSync("cc", argv, { encoding: "utf8" });
  if (status !== 0) throw new Error(`the weak launcher does not compile: ${stderr}`);
  return program;
}

/** Whether the launcher runs from a sealed copy of its program. */
export function sealsItself(): boolean {
  return readdirSync(SOURCES).some((name) =>
    readFileSync(join(SOURCES, name), "utf8").includes("TSIMG_WEAK_NO_SEAL"),
  );
}
