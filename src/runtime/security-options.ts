import { TsimgError } from "../sys/error.ts";
import type { AppArmorChoice } from "./apparmor.ts";

export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  readonly seccomp:
    | { readonly kind: "default" }
    | { readonly kind: "unconfined" }
    /** A profile in docker's JSON form, or the runtime spec's. */
    | { readonly kind: "file"; readonly path: string };
  readonly apparmor: AppArmorChoice;
  /** Whether what /proc and /sys hide from containers is hidden: masked-paths.ts. */
  readonly systemPaths: "default" | "unconfined";
  /** Absolute paths to hide as well. */
  readonly mask: readonly string[];
  /** Absolute paths or patterns that are not to be hidden or made read-only, or `ALL`. */
  readonly unmask: readonly string[];
}

const KNOWN =
  "known: no-new-privileges, seccomp=, apparmor=, systempaths=, mask=, unmask=, label=disable";

/** AppArmor's own limit is a file name's. */
const MAX_PROFILE_NAME = 255;

type Writable = { -readonly [Key in keyof SecurityOptions]: SecurityOptions[Key] };

/**
 * Reads the `--security-opt`s; the last one counts where two speak of the same, but of mask and
 * unmask, which add up.
 *
 * @throws TsimgError ERR_USAGE
 */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  const parsed: Writable = {
    noNewPrivileges: false,
    seccomp: { kind: "default" },
    apparmor: { kind: "default" },
    systemPaths: "default",
    mask: [],
    unmask: [],
  };
  for (const option of options) readOption(parsed, option);
  return parsed;
}

function readOption(parsed: Writable, option: string): void {
  // The first separator may be a colon, as docker once had it.
  const [, key = option, value = ""] = /^([^=:]*)[=:](.*)$/s.exec(option) ?? [];
  if (key === "no-new-privileges" && ["", "true", "false"].includes(value)) {
    parsed.noNewPrivileges = value !== "false";
  } else if (key === "seccomp" && value !== "") {
    parsed.seccomp = seccompChoice(value);
  } else if (key === "apparmor" && value !== "") {
    parsed.apparmor = appArmorChoice(value);
  } else if (key === "systempaths" && (value === "unconfined" || value === "default")) {
    parsed.systemPaths = value;
  } else if (key === "mask" && value !== "") {
    parsed.mask = [...parsed.mask, ...value.split(":").map((path) => checkPath(path, option))];
  } else if (key === "unmask" && value !== "") {
    parsed.unmask = [...parsed.unmask, ...unmasked(value, option)];
  } else if (key === "label" && value !== "disable") {
    throw new TsimgError("ERR_USAGE", `SELinux label in --security-opt "${shown(option)}"`, {
      hint: "tsimg labels nothing: leave it out, or write label=disable",
    });
  } else if (key !== "label") {
    throw new TsimgError("ERR_USAGE", `unknown --security-opt "${shown(option)}"`, { hint: KNOWN });
  }
}

function seccompChoice(value: string): SecurityOptions["seccomp"] {
  if (value === "unconfined") return { kind: "unconfined" };
  return value === "builtin" ? { kind: "default" } : { kind: "file", path: value };
}

function appArmorChoice(name: string): AppArmorChoice {
  if (name === "unconfined") return { kind: "unconfined" };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they would end the label.
  if (name.length <= MAX_PROFILE_NAME && !/[\x00-\x1f]/.test(name))
    return { kind: "profile", name };
  throw new TsimgError("ERR_USAGE", `invalid AppArmor profile name "${shown(name)}"`, {
    hint: "aa-status lists the names of those that are loaded",
  });
}

function unmasked(value: string, option: string): readonly string[] {
  if (value.toUpperCase() === "ALL") return ["ALL"];
  return value.split(":").map((path) => checkPath(path, option));
}

function checkPath(path: string, option: string): string {
  const plain = path.startsWith("/") && !path.includes("\0");
  if (plain && !path.split("/").includes("..")) return path;
  throw new TsimgError(
    "ERR_USAGE",
    `"${shown(path)}" in --security-opt "${shown(option)}" is not an absolute path`,
    {
      hint: "separate paths by colons, as in unmask=/proc/acpi:/sys/firmware",
    },
  );
}

function shown(text: string): string {
  return text.slice(0, 128);
}
