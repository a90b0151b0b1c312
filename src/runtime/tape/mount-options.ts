import type { ConstantName } from "./constants.ts";

/** mount(8) options, sorted into what the kernel's two mount interfaces take. */
export interface MountOptions {
  /** MOUNT_ATTR_* to set and to clear. */
  readonly set: readonly ConstantName[];
  readonly clear: readonly ConstantName[];
  /** The same for mount(2). */
  readonly mountFlags: readonly ConstantName[];
  /** MS_SHARED and its kin. */
  readonly propagation?: ConstantName;
  readonly recursivePropagation: boolean;
  readonly bind: boolean;
  /** Submounts are bound too. */
  readonly recursive: boolean;
  /** What is left: for the file system. */
  readonly data: readonly string[];
}

const SETS: Readonly<Record<string, readonly [ConstantName, ConstantName]>> = {
  ro: ["MOUNT_ATTR_RDONLY", "MS_RDONLY"],
  nosuid: ["MOUNT_ATTR_NOSUID", "MS_NOSUID"],
  nodev: ["MOUNT_ATTR_NODEV", "MS_NODEV"],
  noexec: ["MOUNT_ATTR_NOEXEC", "MS_NOEXEC"],
  nodiratime: ["MOUNT_ATTR_NODIRATIME", "MS_NODIRATIME"],
  nosymfollow: ["MOUNT_ATTR_NOSYMFOLLOW", "MS_NOSYMFOLLOW"],
};

const CLEARS: Readonly<Record<string, ConstantName>> = {
  rw: "MOUNT_ATTR_RDONLY",
  suid: "MOUNT_ATTR_NOSUID",
  dev: "MOUNT_ATTR_NODEV",
  exec: "MOUNT_ATTR_NOEXEC",
  diratime: "MOUNT_ATTR_NODIRATIME",
  symfollow: "MOUNT_ATTR_NOSYMFOLLOW",
};

/** One value of several: setting one needs all bits cleared. */
const TIMES: Readonly<Record<string, readonly [ConstantName, ConstantName]>> = {
  relatime: ["MOUNT_ATTR_RELATIME", "MS_RELATIME"],
  noatime: ["MOUNT_ATTR_NOATIME", "MS_NOATIME"],
  strictatime: ["MOUNT_ATTR_STRICTATIME", "MS_STRICTATIME"],
};

const PROPAGATIONS: Readonly<Record<string, ConstantName>> = {
  shared: "MS_SHARED",
  slave: "MS_SLAVE",
  private: "MS_PRIVATE",
  unbindable: "MS_UNBINDABLE",
};

/** Mean what is so anyway, or are for programs above the runtime. */
const IGNORED = new Set(["defaults", "atime", "norelatime", "nocopy", "z", "Z", "tmpcopyup"]);

/** Recursive spellings (`rro`, `rslave`) count like the plain ones: attributes of binds always recurse. */
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
    const plain = option.startsWith("r") ? option.slice(1) : option;
    const sets = SETS[option] ?? SETS[plain];
    const clears = CLEARS[option] ?? CLEARS[plain];
    const time = TIMES[option] ?? TIMES[plain];
    const spread = PROPAGATIONS[option] ?? PROPAGATIONS[plain];
    if (sets !== undefined) {
      set.add(sets[0]);
      clear.delete(sets[0]);
      mountFlags.add(sets[1]);
    } else if (clears !== undefined) {
      clear.add(clears);
      set.delete(clears);
      for (const [attribute, flag] of Object.values(SETS)) {
        if (attribute === clears) mountFlags.delete(flag);
      }
    } else if (time !== undefined) {
      for (const [attribute, flag] of Object.values(TIMES)) {
        set.delete(attribute);
        mountFlags.delete(flag);
      }
      set.add(time[0]);
      mountFlags.add(time[1]);
      clear.add("MOUNT_ATTR__ATIME");
    } else if (spread !== undefined) {
      propagation = spread;
      recursivePropagation = option !== plain;
    } else if (option === "bind" || option === "rbind") {
      bind = true;
      recursive = option === "rbind";
    } else if (!IGNORED.has(option)) {
      data.push(option);
    }
  }
  return {
    set: [...set],
    clear: [...clear],
    mountFlags: [...mountFlags],
    ...(propagation === undefined ? {} : { propagation }),
    recursivePropagation,
    bind,
    recursive,
    data,
  };
}
