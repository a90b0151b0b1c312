import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { TsimgError } from "../../sys/error.ts";
import type { ArchiveEntry } from "./layer-archive.ts";

/** Programs of this machine with all that they need to run elsewhere. */
export interface Programs {
  /** What they are, for people. */
  readonly title: string;
  readonly entries: readonly ArchiveEntry[];
}

/** Without these a demo has nothing to show. */
const NEEDED = ["sh", "cat", "ls", "rm", "true"];
const WELCOME = ["id", "env", "ps", "mount", "hostname", "uname", "mkdir", "grep", "sleep"];
const USUAL_PLACES = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/**
 * Busybox when it is here, since it is all programs in one small file; else sh and friends
 * with their libraries. They go to `bin`, the libraries to where their loader looks.
 *
 * @throws TsimgError ERR_STATE when one that is needed isn't here
 */
export function findPrograms(): Programs {
  return busybox() ?? separatePrograms();
}

function busybox(): Programs | undefined {
  const program = locate("busybox");
  const listed = program === undefined ? undefined : runQuietly(program, ["--list"]);
  if (program === undefined || listed?.status !== 0) return undefined;
  const applets = listed.stdout.split("\n").filter((name) => /^[a-z0-9_.-]+$/i.test(name));
  if (!NEEDED.every((name) => applets.includes(name))) return undefined;
  const libraries = librariesOf(program);
  return {
    title: `busybox${libraries.length === 0 ? "" : " and its libraries"}`,
    entries: [
      fileEntry("bin/busybox", program, 0o755),
      ...applets
        .filter((name) => name !== "busybox")
        .map((name): ArchiveEntry => ({ type: "symlink", path: `bin/${name}`, target: "busybox" })),
      ...libraries.map((path) => fileEntry(path.slice(1), path, 0o755)),
    ],
  };
}

function separatePrograms(): Programs {
  const missing = NEEDED.find((name) => locate(name) === undefined);
  if (missing !== undefined)
    throw new TsimgError("ERR_STATE", `the demo finds no program "${missing}" on this machine`, {
      hint: "install busybox, of which its image is made",
    });
  const programs = [...NEEDED, ...WELCOME].flatMap((name) => {
    const path = locate(name);
    return path === undefined ? [] : [{ name, path }];
  });
  const libraries = new Set(programs.flatMap(({ path }) => librariesOf(path)));
  return {
    title: `${programs.map(({ name }) => name).join(", ")} and their libraries`,
    entries: [
      ...programs.map(({ name, path }) => fileEntry(`bin/${name}`, path, 0o755)),
      ...[...libraries].map((path) => fileEntry(path.slice(1), path, 0o755)),
    ],
  };
}

function fileEntry(path: string, source: string, mode: number): ArchiveEntry {
  return { type: "file", path, mode, content: readFileSync(source) };
}

function locate(name: string): string | undefined {
  const places = [...USUAL_PLACES, ...(process.env["PATH"] ?? "").split(":")];
  return places
    .filter((place) => place.startsWith("/"))
    .map((place) => join(place, name))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Paths of the libraries that a program loads, its loader among them; none when it is static.
 * @see ldd(1): `name => /path (address)`, or only `/path (address)` for the loader
 */
function librariesOf(program: string): readonly string[] {
  const { stdout, stderr, status } = runQuietly("ldd", [program]);
  if (/not a (?:valid )?dynamic|statically linked/i.test(stdout + stderr)) return [];
  const lost = /^\s*(\S+) => not found/m.exec(stdout)?.[1];
  if (status === 0 && lost === undefined)
    return [...stdout.matchAll(/(?:^|=>)\s*(\/\S+) \(0x/gm)].map((match) => match[1] ?? "");
  throw new TsimgError("ERR_STATE", `the demo can't tell which libraries "${program}" needs`, {
    hint:
      lost === undefined
        ? "install a static busybox, or ldd, which comes with the C library"
        : `its library "${lost}" is missing here: install a static busybox`,
  });
}

function runQuietly(program: string, args: readonly string[]) {
  const env = { ...process.env, LC_ALL: "C" };
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", env });
  // All of them are null when the program can't be started.
  return { status, stdout: stdout ?? "", stderr: stderr ?? "" };
}
