import type { ConstantName } from "./constants.ts";

/** mount(8) options, sorted into what the kernel's two mount interfaces take. */
export interface MountOptions {
  /** MOUNT_ATTR_* to set and to clear. */
  readonly set: readonly ConstantName[];
  readonly clear: readonly ConstantName[];
  /** The same for mount(2). */
  readonly mountFlags: readonly ConstantName[];
  /** MS_SHARED and its kin. */
  readonly propagation: ConstantName | undefined;
  readonly recursivePropagation: boolean;
  readonly bind: boolean;
  /** Submounts are bound too. */
  readonly recursive: boolean;
  /** What is left: for the file system. */
  readonly data: readonly string[];
}

type Meaning =
  | { readonly kind: "set"; readonly attribute: ConstantName; readonly flag: ConstantName }
  | { readonly kind: "clear"; readonly attribute: ConstantName; readonly flag: ConstantName }
  /** One value of several: setting one needs all bits cleared. */
  | { readonly kind: "time"; readonly attribute: ConstantName; readonly flag: ConstantName }
  | { readonly kind: "propagation"; readonly flag: ConstantName; readonly recursive: boolean }
  | { readonly kind: "bind"; readonly recursive: boolean }
  /** Means what is so anyway, or is for programs above the runtime. */
  | { readonly kind: "ignored" };

const ATTRIBUTES: readonly (readonly [set: string, clear: string, ConstantName, ConstantName])[] = [
  ["ro", "rw", "MOUNT_ATTR_RDONLY", "MS_RDONLY"],
  ["nosuid", "suid", "MOUNT_ATTR_NOSUID", "MS_NOSUID"],
  ["nodev", "dev", "MOUNT_ATTR_NODEV", "MS_NODEV"],
  ["noexec", "exec", "MOUNT_ATTR_NOEXEC", "MS_NOEXEC"],
  ["nodiratime", "diratime", "MOUNT_ATTR_NODIRATIME", "MS_NODIRATIME"],
  ["nosymfollow", "symfollow", "MOUNT_ATTR_NOSYMFOLLOW", "MS_NOSYMFOLLOW"],
];

const TIMES: readonly (readonly [string, ConstantName, ConstantName])[] = [
  ["relatime", "MOUNT_ATTR_RELATIME", "MS_RELATIME"],
  ["noatime", "MOUNT_ATTR_NOATIME", "MS_NOATIME"],
  ["strictatime", "MOUNT_ATTR_STRICTATIME", "MS_STRICTATIME"],
];

const PROPAGATIONS: readonly (readonly [string, ConstantName])[] = [
  ["shared", "MS_SHARED"],
  ["slave", "MS_SLAVE"],
  ["private", "MS_PRIVATE"],
  ["unbindable", "MS_UNBINDABLE"],
];

const IGNORED = [
  "defaults",
  "atime",
  "norelatime",
  "nocopy",
  "z",
  "Z",
  "tmpcopyup",
  "idmap",
  "ridmap",
];

/**
 * Every option that is not for the file system. Recursive spellings (`rro`) count like the
 * plain ones, since what restricts a bind always holds for its submounts.
 */
const MEANINGS: ReadonlyMap<string, Meaning> = meanings();

function meanings(): Map<string, Meaning> {
  const table = new Map<string, Meaning>();
  const add = (name: string, meaning: Meaning) => table.set(name, meaning).set(`r${name}`, meaning);
  for (const name of IGNORED) table.set(name, { kind: "ignored" });
  for (const [set, clear, attribute, flag] of ATTRIBUTES) {
    add(set, { kind: "set", attribute, flag });
    add(clear, { kind: "clear", attribute, flag });
  }
  for (const [name, attribute, flag] of TIMES) add(name, { kind: "time", attribute, flag });
  for (const [name, flag] of PROPAGATIONS) {
    table.set(name, { kind: "propagation", flag, recursive: false });
    table.set(`r${name}`, { kind: "propagation", flag, recursive: true });
  }
  table.set("bind", { kind: "bind", recursive: false });
  table.set("rbind", { kind: "bind", recursive: true });
  return table;
}

/** The later of two options that contradict each other counts. */
export function parseMountOptions(options: readonly string[]): MountOptions {
  const set = new Set<ConstantName>();
  const clear = new Set<ConstantName>();
  const mountFlags = new Set<ConstantName>();
  const data: string[] = [];
  let propagation: ConstantName | undefined;
  let recursivePropagation = false;
  let bind = false;
  let recursive = false;
  for (const option of options) {
    const meaning = MEANINGS.get(option);
    switch (meaning?.kind) {
      case undefined:
        data.push(option);
        break;
      case "set":
        set.add(meaning.attribute);
        clear.delete(meaning.attribute);
        mountFlags.add(meaning.flag);
        break;
      case "clear":
        clear.add(meaning.attribute);
        set.delete(meaning.attribute);
        mountFlags.delete(meaning.flag);
        break;
      case "time":
        for (const [, attribute, flag] of TIMES) {
          set.delete(attribute);
          mountFlags.delete(flag);
        }
        set.add(meaning.attribute);
        mountFlags.add(meaning.flag);
        clear.add("MOUNT_ATTR__ATIME");
        break;
      case "propagation":
        propagation = meaning.flag;
        recursivePropagation = meaning.recursive;
        break;
      case "bind":
        bind = true;
        recursive = meaning.recursive;
    }
  }
  return {
    set: [...set],
    clear: [...clear],
    mountFlags: [...mountFlags],
    propagation,
    recursivePropagation,
    bind,
    recursive,
    data,
  };
}
