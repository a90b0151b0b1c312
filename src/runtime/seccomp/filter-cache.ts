import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Seccomp } from "../../oci/runtime-spec.ts";
import type { MachineArch } from "./architectures.ts";

/** To be raised when one profile assembles to another filter than before. */
export const ASSEMBLER_VERSION = 1;

const DIGEST_BYTES = 32;

/**
 * The filter of a profile, from `directory` when it was assembled before.
 *
 * In a process just started assembling takes 7 ms, most of it for names that must be cut out
 * of tables, and a container has a profile that some container had before. A damaged file is
 * made anew; a directory that can't be written to costs the 7 ms and nothing else.
 *
 * @param directory absolute; made when missing, only to be written by who runs containers
 */
export async function cachedFilter(
  profile: Seccomp,
  arch: MachineArch,
  directory: string,
): Promise<Buffer> {
  const key = sha256(`${ASSEMBLER_VERSION} ${arch} ${JSON.stringify(profile)}`).toString("hex");
  const file = join(directory, `${key}.bpf`);
  const kept = readKept(file);
  if (kept !== undefined) return kept;
  const { assembleSeccomp } = await import("./assemble.ts");
  const filter = assembleSeccomp(profile, arch);
  keep(directory, file, filter);
  return filter;
}

function readKept(file: string): Buffer | undefined {
  try {
    const content = readFileSync(file);
    const filter = content.subarray(DIGEST_BYTES);
    return sha256(filter).equals(content.subarray(0, DIGEST_BYTES)) ? filter : undefined;
  } catch {
    return undefined;
  }
}

function keep(directory: string, file: string, filter: Buffer): void {
  const unfinished = `${file}.${randomUUID()}`;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(unfinished, Buffer.concat([sha256(filter), filter]), { mode: 0o600 });
    renameSync(unfinished, file);
  } catch {
    discard(unfinished);
  }
}

function discard(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Where nothing can be written nothing was left either.
  }
}

function sha256(data: string | Buffer): Buffer {
  return createHash("sha256").update(data).digest();
}
