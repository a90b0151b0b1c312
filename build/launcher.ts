import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { TsimgError } from "../src/sys/error.ts";

const SOURCES = join(import.meta.dirname, "..", "src", "launcher");

/** Static: the launcher runs where the host's libraries are out of reach. */
const FLAGS = [
  "-std=gnu17",
  "-O2",
  "-static",
  "-D_GNU_SOURCE",
  "-Wall",
  "-Wextra",
  "-Wshadow",
  "-Wconversion",
  "-Wstrict-prototypes",
  "-Werror",
  // Each launcher is one running container: what is not needed takes no memory.
  "-ffunction-sections",
  "-fdata-sections",
  "-Wl,--gc-sections",
  "-s",
];

const CURE = "install a C compiler with the static C library: apt-get install gcc libc6-dev";

/**
 * Compiles src/launcher into `<outDir>/launcher` and answers with that path. Sources,
 * flags and compiler that have not changed are not compiled again.
 *
 * @throws TsimgError ERR_BUILD without a working compiler; the launcher of before stays
 */
export function compileLauncher(outDir: string): string {
  const compiler = process.env["CC"] ?? "cc";
  const target = join(outDir, "launcher");
  const stamp = `${target}.hash`;
  const hash = hashInputs(compiler);
  if (existsSync(target) && readIfThere(stamp) === hash) return target;

  mkdirSync(outDir, { recursive: true });
  const sources = sourceFiles(".c").map((name) => join(SOURCES, name));
  // A running launcher can't be written to, but its name can go to another file.
  const fresh = `${target}.${process.pid}`;
  const run = spawnSync(compiler, [...FLAGS, "-o", fresh, ...sources], { encoding: "utf8" });
  if (run.error !== undefined) {
    throw new TsimgError("ERR_BUILD", `cannot run the C compiler "${compiler}"`, {
      hint: CURE,
      cause: run.error,
    });
  }
  if (run.status !== 0) {
    throw new TsimgError("ERR_BUILD", `"${compiler}" cannot compile the launcher:\n${run.stderr}`, {
      hint: CURE,
    });
  }
  renameSync(fresh, target);
  writeFileSync(stamp, hash);
  return target;
}

function sourceFiles(suffix: ".c" | ".h"): readonly string[] {
  return readdirSync(SOURCES)
    .filter((name) => name.endsWith(suffix))
    .sort();
}

function hashInputs(compiler: string): string {
  const hash = createHash("sha256").update(JSON.stringify([compiler, process.arch, FLAGS]));
  for (const name of [...sourceFiles(".c"), ...sourceFiles(".h")]) {
    hash.update(`\0${name}\0`).update(readFileSync(join(SOURCES, name)));
  }
  return hash.digest("hex");
}

function readIfThere(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}
