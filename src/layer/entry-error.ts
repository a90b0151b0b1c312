import { errorCode } from "../sys/errno.ts";
import { TsimgError } from "../sys/error.ts";
import { UnsafeName } from "./entry-path.ts";
import { type ByteString, displayName } from "./tar/byte-string.ts";
import { TarFault } from "./tar/fault.ts";

/** Words what went wrong with an entry, and names it; the caller adds the layer. */
export function entryError(error: unknown, path: ByteString): unknown {
  const entry = `entry '${displayName(path)}'`;
  if (error instanceof UnsafeName)
    return new TsimgError("ERR_LAYER_UNSAFE", `${entry} ${error.message}`, {
      hint: "the layer is built wrongly or an attack: nothing of it was kept",
    });
  if (error instanceof TarFault)
    return new TsimgError("ERR_LAYER_CORRUPT", `${entry}: ${error.message}`);
  const code = errorCode(error);
  if (error instanceof TsimgError || code === undefined) return error;
  const call = error instanceof Error && "syscall" in error ? `${error.syscall}: ` : "";
  // The kernel's word for an ID that the user namespace doesn't map.
  const unmapped = code === "EINVAL" && call.includes("chown");
  return new TsimgError("ERR_UNPACK", `${entry} can't be written: ${call}${code}`, {
    cause: error,
    ...(unmapped ? { hint: "its owner is beyond your subordinate IDs: see /etc/subuid" } : {}),
  });
}
