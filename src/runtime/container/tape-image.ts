import { flushCompileCache } from "node:module";
import type { Process, Seccomp } from "../../oci/runtime-spec.ts";
import { DerivedFiles } from "../derived-files.ts";
import type { MachineArch } from "../seccomp/architectures.ts";
import type { LaunchRequest } from "../tape/request.ts";

/** What is to be launched, before its seccomp filter is assembled. */
export type Launch = Omit<LaunchRequest, "seccompFilter">;

export interface TapeDirectories {
  readonly tapes: string;
  readonly filters: string;
}

/**
 * The launcher's image of a request's tape.
 *
 * Compiling and encoding 400 steps takes a process that has just started 12 ms, and two
 * containers of one image differ only in their names. So a tape is made with stand-ins of
 * the same length for these names, kept, and the next one is the kept one with its own
 * names in their places.
 *
 * Arguments and the environment have stand-ins too: they may be secrets, and a kept tape
 * outlives its container.
 *
 * @param names   what is this container's alone: its ID, its snapshot's, and the like
 * @param version of the code that makes tapes: what another made is made anew
 */
export async function tapeImage(
  request: Launch,
  names: readonly string[],
  arch: MachineArch,
  version: string,
  directories: TapeDirectories,
): Promise<Buffer> {
  const words = secretWords(request.spec.process);
  const actual = [...names, ...words];
  const standIns = actual.map((text, index) => standIn(index, Buffer.byteLength(text)));
  if (JSON.stringify(request).includes(STAND_IN)) return makeImage(request, arch, directories);
  const wordless = JSON.stringify(replaceWords(request, words, standIns.slice(names.length)));
  const general = replaceAll(wordless, names, standIns);
  const files = new DerivedFiles(directories.tapes);
  const key = `${version} ${arch} ${general}`;
  let image = files.find(key);
  if (image === undefined) {
    image = await makeImage(JSON.parse(general) as Launch, arch, directories);
    files.keep(key, image);
    // Node keeps compiled code when a process ends, which this one doesn't: it is replaced.
    flushCompileCache();
  }
  standIns.forEach((text, index) => {
    fill(image, text, actual[index] ?? text);
  });
  return image;
}

/** Shorter words tell nobody anything, and have no room for a stand-in. */
const LEAST_WORD = 8;

/**
 * What may be nobody's business, and must not outlive the container: arguments of the command
 * and values of the environment. Not the command's name and PATH, which decide on the tape.
 */
function secretWords({ args, env }: Process): string[] {
  const values = env
    .filter((entry) => !entry.startsWith("PATH="))
    .map((entry) => entry.slice(entry.indexOf("=") + 1));
  const long = [...args.slice(1), ...values].filter(
    (text) => Buffer.byteLength(text) >= LEAST_WORD,
  );
  return [...new Set(long)];
}

function replaceWords(
  request: Launch,
  words: readonly string[],
  standIns: readonly string[],
): Launch {
  const of = new Map(words.map((word, index) => [word, standIns[index] ?? word]));
  const { process } = request.spec;
  const [program = "", ...args] = process.args;
  const env = process.env.map((entry) => {
    const at = entry.indexOf("=") + 1;
    const value = entry.slice(at);
    return entry.startsWith("PATH=") ? entry : entry.slice(0, at) + (of.get(value) ?? value);
  });
  const general = { ...process, args: [program, ...args.map((word) => of.get(word) ?? word)], env };
  return { ...request, spec: { ...request.spec, process: general } };
}

/** An image whose launcher shows the call that fails as `--explain` shows it. */
export async function explainedImage(
  request: Launch,
  arch: MachineArch,
  directories: TapeDirectories,
): Promise<Buffer> {
  const { compileLaunch } = await import("../tape/compile-foreign.ts");
  const { encodeTape } = await import("../tape/encode.ts");
  const { explainStep } = await import("../tape/explain.ts");
  const tape = compileLaunch(await withFilter(request, arch, directories.filters));
  return encodeTape(tape, machineOf(arch), explainStep);
}

async function makeImage(
  request: Launch,
  arch: MachineArch,
  directories: TapeDirectories,
): Promise<Buffer> {
  const { compileLaunch } = await import("../tape/compile-foreign.ts");
  const { encodeTape } = await import("../tape/encode.ts");
  const tape = compileLaunch(await withFilter(request, arch, directories.filters));
  return encodeTape(tape, machineOf(arch));
}

function machineOf(arch: MachineArch): "aarch64" | "x86_64" {
  return arch === "arm64" ? "aarch64" : "x86_64";
}

/** The request with its seccomp filter. */
export async function withFilter(
  request: Launch,
  arch: MachineArch,
  directory: string,
): Promise<LaunchRequest> {
  const filter = await filterOf(request.spec.linux.seccomp, arch, directory);
  return filter === undefined ? request : { ...request, seccompFilter: filter };
}

/** @param directory where assembled filters are kept */
export async function filterOf(
  profile: Seccomp | undefined,
  arch: MachineArch,
  directory: string,
): Promise<Buffer | undefined> {
  if (profile === undefined) return undefined;
  const { cachedFilter } = await import("../seccomp/filter-cache.ts");
  return cachedFilter(profile, arch, directory);
}

/** What stand-ins begin with: no ID has a "z", and a request that has it is not kept. */
const STAND_IN = "zq";

/** As long as what it stands for; none is a part of another. */
function standIn(index: number, length: number): string {
  return `${STAND_IN}${index}`.padEnd(length, "z");
}

function replaceAll(text: string, from: readonly string[], to: readonly string[]): string {
  return from.reduce((done, name, index) => done.replaceAll(name, to[index] ?? name), text);
}

/** Writes `text` wherever `standIn`, which has as many bytes, stands. */
function fill(image: Buffer, standIn: string, text: string): void {
  for (let at = image.indexOf(standIn, 0, "latin1"); at >= 0; ) {
    image.write(text, at, "utf8");
    at = image.indexOf(standIn, at + standIn.length, "latin1");
  }
}
