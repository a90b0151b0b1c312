import { TsimgError } from "../sys/error.ts";

/** Settings that each IPC namespace has for itself, beside fs.mqueue.*. */
const IPC_KEYS: readonly string[] = [
  ...["kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall"],
  ...["kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"],
];

/** Which namespaces are the container's own: a setting of another's is the host's. */
export interface OwnNamespaces {
  readonly ipc: boolean;
  readonly network: boolean;
  readonly uts: boolean;
}

/**
 * Reads `--sysctl name=value`: kernel settings of the container's own namespaces, others are
 * refused. Parts of a name are separated by dots or by slashes; where the first separator is a
 * dot, a slash stands for a dot inside a part, as sysctl(8) has it.
 *
 * @returns for `linux.sysctl`; names with dots, or with slashes where a part has a dot in it
 * @throws TsimgError ERR_USAGE
 */
export function parseSysctls(
  texts: readonly string[],
  own: OwnNamespaces,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf("=");
      if (equals < 1) throw badSysctl(text, "it is not name=value", EXAMPLE);
      const parts = partsOf(text.slice(0, equals).trim(), text);
      checkNamespace(parts.join("."), own, text);
      const value = text.slice(equals + 1).trim();
      if (value === "" || value.includes("\0")) {
        throw badSysctl(text, "it has no value to set", EXAMPLE);
      }
      return [parts.join(parts.some((part) => part.includes(".")) ? "/" : "."), value];
    }),
  );
}

const EXAMPLE = "as in net.ipv4.ip_forward=1";

function partsOf(name: string, text: string): readonly string[] {
  const dotted = name.search(/[./]/) === name.indexOf(".");
  const swap = (part: string) => part.replaceAll("/", ".");
  const parts = dotted ? name.split(".").map(swap) : name.split("/");
  // A name is a path below /proc/sys, and must not lead out of it.
  if (parts.every((part) => /^[\w@:-][\w@:.-]*$/.test(part))) return parts;
  throw badSysctl(text, "its name is not one that a setting can have", EXAMPLE);
}

function checkNamespace(name: string, own: OwnNamespaces, text: string): void {
  if (name.startsWith("net.")) {
    if (own.network) return;
    throw badSysctl(text, "with the host's network it would change the host", NOT_HOST("network"));
  }
  if (IPC_KEYS.includes(name) || name.startsWith("fs.mqueue.")) {
    if (own.ipc) return;
    throw badSysctl(
      text,
      "without an IPC namespace of its own it would change another's",
      NOT_HOST("ipc"),
    );
  }
  if (name === "kernel.domainname") {
    if (own.uts) return;
    throw badSysctl(text, "with the host's names it would rename the host", NOT_HOST("uts"));
  }
  if (name === "kernel.hostname") {
    throw badSysctl(text, "the host name has a flag of its own", "use --hostname");
  }
  throw badSysctl(
    text,
    "it belongs to no namespace, so that it would change the host",
    `allowed: net.*, fs.mqueue.*, kernel.domainname, ${IPC_KEYS.join(", ")}`,
  );
}

const NOT_HOST = (flag: string) => `leave out --${flag}, or set it on the host with sysctl(8)`;

function badSysctl(text: string, what: string, hint: string): TsimgError {
  return new TsimgError("ERR_USAGE", `invalid --sysctl "${text.slice(0, 128)}": ${what}`, { hint });
}
