import { existsSync, readFileSync } from "node:fs";
import { tolerating } from "../sys/errno.ts";
import { TsimgError } from "../sys/error.ts";
import { programPath, runProgram } from "../sys/run-program.ts";
import { DEFAULT_PROFILE, DEFAULT_PROFILE_MARK, defaultProfileText } from "./apparmor-profile.ts";

/** What `--security-opt apparmor=` asks for. */
export type AppArmorChoice =
  | { readonly kind: "default" }
  | { readonly kind: "unconfined" }
  /** A profile that somebody has loaded. */
  | { readonly kind: "profile"; readonly name: string };

export interface AppArmorHost {
  /** Whether this kernel enforces profiles, and its list of them can be read. */
  readonly enabled: boolean;
  /** Names, nested ones as `outer//inner`. */
  readonly loaded: ReadonlySet<string>;
  /** Whether apparmor_parser is installed. */
  readonly loadable: boolean;
}

/**
 * The profile for `process.apparmorProfile`, undefined for none.
 *
 * Where nothing is chosen it is the default one, if this machine has AppArmor and a way to load
 * it; a privileged container has none unless one is chosen. As docker does.
 *
 * @throws TsimgError ERR_KERNEL for a profile that is chosen and can't be had
 */
export function appArmorProfile(
  choice: AppArmorChoice,
  privileged: boolean,
  host: AppArmorHost,
): string | undefined {
  if (choice.kind === "unconfined") return undefined;
  if (choice.kind === "default") {
    if (privileged || !host.enabled) return undefined;
    return host.loadable || host.loaded.has(DEFAULT_PROFILE) ? DEFAULT_PROFILE : undefined;
  }
  const { name } = choice;
  if (!host.enabled) {
    throw new TsimgError("ERR_KERNEL", `no AppArmor here for profile "${name}"`, {
      hint: "boot with AppArmor and mount securityfs, or leave out --security-opt apparmor=",
    });
  }
  if (name !== DEFAULT_PROFILE && !host.loaded.has(name)) {
    throw new TsimgError("ERR_KERNEL", `AppArmor profile "${name}" is not loaded`, {
      hint: "load it with apparmor_parser -r FILE; aa-status lists those that are",
    });
  }
  return name;
}

/** Whether the default profile must be loaded before a container can have it. */
export function mustLoadDefault(profile: string | undefined, host: AppArmorHost): boolean {
  return profile === DEFAULT_PROFILE && host.loadable && !host.loaded.has(DEFAULT_PROFILE_MARK);
}

/**
 * Loads the default profile, or replaces one of an older version; containers that run under
 * that one are from then on under this. Several processes may do it at once.
 *
 * @throws TsimgError ERR_KERNEL when the kernel or apparmor_parser refuses
 */
export function loadDefaultProfile(): void {
  const text = defaultProfileText({
    abi3: isPolicyFile("abi/3.0"),
    base: isPolicyFile("tunables/global") && isPolicyFile("abstractions/base"),
  });
  try {
    // -K: no cache of compiled profiles, which would be a file of ours in /var.
    runProgram(["apparmor_parser", "-r", "-K"], { input: text });
  } catch (cause) {
    throw new TsimgError("ERR_KERNEL", `can't load the AppArmor profile "${DEFAULT_PROFILE}"`, {
      cause,
      hint: "--security-opt apparmor=unconfined does without",
    });
  }
}

/** Asks this machine. */
export function readAppArmor(): AppArmorHost {
  const enabled = read("/sys/module/apparmor/parameters/enabled")?.startsWith("Y") === true;
  const list = enabled ? read("/sys/kernel/security/apparmor/profiles") : undefined;
  return {
    enabled: list !== undefined,
    loaded: parseLoadedProfiles(list ?? ""),
    loadable: list !== undefined && programPath("apparmor_parser") !== undefined,
  };
}

/** Reads the kernel's list: a line each, `NAME (MODE)`, where a name may have spaces. */
export function parseLoadedProfiles(text: string): ReadonlySet<string> {
  return new Set(text.split("\n").flatMap((line) => /^(.+) \([a-z]+\)$/.exec(line)?.[1] ?? []));
}

function isPolicyFile(name: string): boolean {
  return existsSync(`/etc/apparmor.d/${name}`);
}

function read(path: string): string | undefined {
  return tolerating(["ENOENT", "ENOTDIR", "EACCES", "EPERM"], () => readFileSync(path, "utf8"));
}
