import type { Seccomp } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import { DerivedFiles } from "../derived-files.ts";
import type { MachineArch } from "./architectures.ts";

/** To be raised when one profile assembles to another filter than before. */
export const ASSEMBLER_VERSION = 2;

/** Who makes filters. Without a wish: libseccomp where it works, else our own assembler. */
export type SeccompEngine = "own" | "libseccomp";

/**
 * The filter of a profile, from `directory` when it was made before: in a process just started
 * that takes 7 ms with our own assembler and 80 with libseccomp, and a container has a profile
 * that some container had before.
 *
 * @param engine a wish; `TSIMG_SECCOMP_ENGINE` when not given
 * @throws TsimgError ERR_CONFIG_INVALID when the filter is longer than a kernel takes; ERR_USAGE
 *         for an engine that isn't one; ERR_KERNEL when libseccomp is asked for and not there
 */
export async function cachedFilter(
  profile: Seccomp,
  arch: MachineArch,
  directory: string,
  engine: SeccompEngine | undefined = wishedEngine(process.env["TSIMG_SECCOMP_ENGINE"]),
): Promise<Buffer> {
  const files = new DerivedFiles(directory);
  const text = `${ASSEMBLER_VERSION} ${engine ?? "any"} ${arch} ${JSON.stringify(profile)}`;
  const kept = files.find(text);
  if (kept !== undefined) return kept;
  const filter = await makeFilter(profile, arch, engine);
  files.keep(text, filter);
  return filter;
}

async function makeFilter(
  profile: Seccomp,
  arch: MachineArch,
  engine: SeccompEngine | undefined,
): Promise<Buffer> {
  if (engine !== "own") {
    const { libseccompFilter } = await import("./libseccomp-engine.ts");
    try {
      return libseccompFilter(profile, arch);
    } catch (error) {
      if (engine === "libseccomp") throw error;
      // Not installed, an older version, a filter that it makes too long: ours needs nobody.
    }
  }
  const { assembleSeccomp } = await import("./assemble.ts");
  return assembleSeccomp(profile, arch);
}

function wishedEngine(wish: string | undefined): SeccompEngine | undefined {
  if (wish === undefined || wish === "") return undefined;
  if (wish === "own" || wish === "libseccomp") return wish;
  throw new TsimgError("ERR_USAGE", `unknown TSIMG_SECCOMP_ENGINE "${wish.slice(0, 64)}"`, {
    hint: "set it to own or libseccomp, or leave it unset",
  });
}
