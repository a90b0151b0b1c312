import { flushCompileCache } from "node:module";
import type { Seccomp } from "../../oci/runtime-spec.ts";
import { DerivedFiles } from "../derived-files.ts";
import type { MachineArch } from "../seccomp/architectures.ts";
import type { LaunchRequest } from "../tape/compile.ts";

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
  const text = JSON.stringify(request);
  const standIns = names.map((name, index) => standIn(index, name.length));
  if (standIns.some((name) => text.includes(name))) return makeImage(request, arch, directories);
  const general = replaceAll(text, names, standIns);
  const files = new DerivedFiles(directories.tapes);
  const key = `${version} ${arch} ${general}`;
  let image = files.find(key);
  if (image === undefined) {
    image = await makeImage(JSON.parse(general) as Launch, arch, directories);
    files.keep(key, image);
    // Node keeps compiled code when a process ends, which this one doesn't: it is replaced.
    flushCompileCache();
  }
  standIns.forEach((name, index) => {
    fill(image, name, names[index] ?? name);
  });
  return image;
}

async function makeImage(
  request: Launch,
  arch: MachineArch,
  directories: TapeDirectories,
): Promise<Buffer> {
  const { compileTape } = await import("../tape/compile.ts");
  const { encodeTape } = await import("../tape/encode.ts");
  const tape = compileTape(await withFilter(request, arch, directories.filters));
  return encodeTape(tape, arch === "arm64" ? "aarch64" : "x86_64");
}

/** The request with its seccomp filter. */
export async function withFilter(
  request: Launch,
  arch: MachineArch,
  directory: string,
): Promise<LaunchRequest> {
  const profile: Seccomp | undefined = request.spec.linux.seccomp;
  if (profile === undefined) return request;
  const { cachedFilter } = await import("../seccomp/filter-cache.ts");
  return { ...request, seccompFilter: await cachedFilter(profile, arch, directory) };
}

/** No ID has a "z", and no two stand-ins are a part of each other. */
function standIn(index: number, length: number): string {
  return `zq${index}`.padEnd(length, "z");
}

function replaceAll(text: string, from: readonly string[], to: readonly string[]): string {
  return from.reduce((done, name, index) => done.replaceAll(name, to[index] ?? name), text);
}

/** Writes `name` wherever `standIn`, which is as long, stands. */
function fill(image: Buffer, standIn: string, name: string): void {
  for (let at = image.indexOf(standIn, 0, "latin1"); at >= 0; ) {
    image.write(name, at, "latin1");
    at = image.indexOf(standIn, at + name.length, "latin1");
  }
}
