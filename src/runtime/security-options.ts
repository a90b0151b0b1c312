import { TsimgError } from "../sys/error.ts";

export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  readonly seccomp:
    | { readonly kind: "default" }
    | { readonly kind: "unconfined" }
    /** A profile in docker's JSON form. */
    | { readonly kind: "file"; readonly path: string };
}

/** Said by people whose other machines have AppArmor or SELinux: true here without doing a thing. */
const WITHOUT_EFFECT = ["apparmor=unconfined", "label=disable", "systempaths=default"];

/**
 * Reads the `--security-opt`s; the last one counts where two speak of the same.
 *
 * @throws TsimgError ERR_USAGE
 */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let noNewPrivileges = false;
  let seccomp: SecurityOptions["seccomp"] = { kind: "default" };
  for (const option of options) {
    // The first separator may be a colon, as docker once had it.
    const [, key = option, value = ""] = /^([^=:]*)[=:](.*)$/s.exec(option) ?? [];
    if (key === "no-new-privileges" && ["", "true", "false"].includes(value)) {
      noNewPrivileges = value !== "false";
    } else if (key === "seccomp" && value !== "") {
      seccomp = seccompChoice(value);
    } else if (!WITHOUT_EFFECT.includes(`${key}=${value}`)) {
      throw new TsimgError("ERR_USAGE", `unknown --security-opt "${option.slice(0, 128)}"`, {
        hint: "known: no-new-privileges, seccomp=unconfined, seccomp=PROFILE.json",
      });
    }
  }
  return { noNewPrivileges, seccomp };
}

function seccompChoice(value: string): SecurityOptions["seccomp"] {
  if (value === "unconfined") return { kind: "unconfined" };
  return value === "builtin" ? { kind: "default" } : { kind: "file", path: value };
}
