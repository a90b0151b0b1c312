import { readFileSync } from "node:fs";
import { errorCode } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import type { RunFlags } from "../run-flags.ts";
import { parseSecurityOptions } from "../security-options.ts";

/** The text of the seccomp profile that the flags name. @throws TsimgError ERR_USAGE */
export function profileOf(flags: RunFlags): { readonly seccompProfile?: string } {
  const { seccomp } = parseSecurityOptions(flags.securityOpt);
  if (seccomp.kind !== "file") return {};
  return { seccompProfile: readUserFile(seccomp.path, "--security-opt seccomp") };
}

/** A file that a flag names. @throws TsimgError ERR_USAGE */
export function readUserFile(path: string, flag: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new TsimgError("ERR_USAGE", `${flag}: can't read '${path}': ${errorCode(cause)}`, {
      cause,
    });
  }
}
