import { statSync } from "node:fs";
import type { NamespaceType, Spec } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import { parseSysctls } from "../sysctls.ts";

/** Files of /proc/self/ns by the runtime spec's names. */
const FILES = { ipc: "ipc", network: "net", uts: "uts" } as const;

/**
 * A bundle's kernel settings, which may be none of the host's: callers of a runtime rely on it
 * for that, whose own checks are of the names alone.
 *
 * @throws TsimgError ERR_CONFIG_INVALID
 */
export function ownSysctls({ linux }: Spec): Readonly<Record<string, string>> {
  const texts = Object.entries(linux.sysctl ?? {}).map(([name, value]) => `${name}=${value}`);
  const owns = (type: keyof typeof FILES) => isOwn(linux.namespaces, type);
  if (texts.length === 0) return {};
  try {
    return parseSysctls(texts, { ipc: owns("ipc"), network: owns("network"), uts: owns("uts") });
  } catch (cause) {
    if (!(cause instanceof TsimgError)) throw cause;
    const message = cause.message.replace("invalid --sysctl", "config.json: linux.sysctl");
    throw new TsimgError("ERR_CONFIG_INVALID", message, {
      hint: "set it on the host with sysctl(8), or give the container a namespace that has it",
    });
  }
}

/** Whether the container has a namespace of that type that isn't this process's. */
function isOwn(
  namespaces: Spec["linux"]["namespaces"],
  type: NamespaceType & keyof typeof FILES,
): boolean {
  const namespace = namespaces.find((it) => it.type === type);
  if (namespace?.path === undefined) return namespace !== undefined;
  const inode = (path: string) => statSync(path, { throwIfNoEntry: false })?.ino;
  return inode(namespace.path) !== inode(`/proc/self/ns/${FILES[type]}`);
}
