import type { Seccomp } from "../../oci/runtime-spec.ts";
import { DerivedFiles } from "../derived-files.ts";
import type { MachineArch } from "./architectures.ts";

/** To be raised when one profile assembles to another filter than before. */
export const ASSEMBLER_VERSION = 1;

/**
 * The filter of a profile, from `directory` when it was assembled before: in a process just
 * started assembling takes 7 ms, most of it for names that must be cut out of tables, and a
 * container has a profile that some container had before.
 */
export async function cachedFilter(
  profile: Seccomp,
  arch: MachineArch,
  directory: string,
): Promise<Buffer> {
  const files = new DerivedFiles(directory);
  const text = `${ASSEMBLER_VERSION} ${arch} ${JSON.stringify(profile)}`;
  const kept = files.find(text);
  if (kept !== undefined) return kept;
  const { assembleSeccomp } = await import("./assemble.ts");
  const filter = assembleSeccomp(profile, arch);
  files.keep(text, filter);
  return filter;
}
