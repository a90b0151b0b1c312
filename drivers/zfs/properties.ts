import { TsimgError } from "../../src/sys/error.ts";
import type { StorageOptions } from "../driver.ts";
import { refuseOptions } from "../storage-options.ts";
import type { Implementation } from "./implementation.ts";

const SIZE = /^(\d{1,15})(?:([kmgtp])(?:i?b)?|b)?$/i;
const ON_OFF = /^(on|off)$/;

/** What may be set, and the values that any version of ZFS has had for it. */
const VALUES: Readonly<Record<string, RegExp>> = {
  compression: /^(on|off|lzjb|lz4|zle|gzip(-[1-9])?|zstd(-fast)?(-\d{1,4})?)$/,
  recordsize: SIZE,
  atime: ON_OFF,
  relatime: ON_OFF,
  xattr: /^(on|off|sa|dir)$/,
  acltype: /^(off|noacl|posix|posixacl|nfsv4)$/,
  refquota: /^none$/,
  quota: /^none$/,
  reservation: /^none$/,
  refreservation: /^none$/,
};
const SIZES = ["recordsize", "refquota", "quota", "reservation", "refreservation"];

/** docker's name for a limit on what a container's root may hold. */
const ALIASES: Readonly<Record<string, string>> = { size: "refquota" };

/** Where zfs-fuse, which is pool version 23, has no such property or not such values. */
const ONLY_KERNEL = ["acltype", "relatime"];

const DEFAULTS: Readonly<Record<Implementation, StorageOptions>> = {
  // Layers have POSIX ACLs; `sa` keeps attributes beside the file's owner and mode.
  kernel: { atime: "off", xattr: "sa", acltype: "posixacl" },
  fuse: { atime: "off", xattr: "on" },
};

/**
 * Every property that a new dataset gets, by ZFS's names, sizes in bytes.
 *
 * @param layers the later win: what the store says, then what the snapshot asks for
 * @throws TsimgError ERR_USAGE for an option or a value that there isn't
 */
export function datasetProperties(
  driver: string,
  implementation: Implementation,
  layers: readonly StorageOptions[],
): StorageOptions {
  const chosen: Record<string, string> = { ...DEFAULTS[implementation] };
  for (const options of layers) {
    refuseOptions(driver, options, [...Object.keys(VALUES), ...Object.keys(ALIASES)]);
    for (const [key, value] of Object.entries(options)) {
      const name = ALIASES[key] ?? key;
      refuseUnknown(driver, implementation, name);
      chosen[name] = checked(driver, key, name, value);
    }
  }
  // For the tools that snapshot everything unless told not to: their snapshots block `destroy`.
  return { ...chosen, "com.sun:auto-snapshot": "false" };
}

/** `-o key=value` for each. */
export function propertyArguments(properties: StorageOptions): readonly string[] {
  return Object.entries(properties).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
}

function refuseUnknown(driver: string, implementation: Implementation, name: string): void {
  if (implementation === "kernel" || !ONLY_KERNEL.includes(name)) return;
  throw new TsimgError("ERR_USAGE", `driver '${driver}': zfs-fuse has no property '${name}'`, {
    hint: "leave it out, or use the kernel's OpenZFS",
  });
}

function checked(driver: string, key: string, name: string, value: string): string {
  if (VALUES[name]?.test(value) === true && !SIZES.includes(name)) return value;
  if (SIZES.includes(name)) {
    if (value === "none" && name !== "recordsize") return value;
    const bytes = sizeInBytes(value);
    if (bytes !== undefined) return bytes;
  }
  throw new TsimgError(
    "ERR_USAGE",
    `driver '${driver}': '${value}' is no value for the storage option '${key}'`,
    { hint: SIZES.includes(name) ? "a size is 10G, 512M, …" : `see zfsprops(7), '${name}'` },
  );
}

function sizeInBytes(text: string): string | undefined {
  const [, digits, unit] = SIZE.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const power = unit === undefined ? 0 : "kmgtp".indexOf(unit.toLowerCase()) + 1;
  const bytes = BigInt(digits) << BigInt(10 * power);
  return bytes > 0n && bytes < 1n << 63n ? `${bytes}` : undefined;
}
