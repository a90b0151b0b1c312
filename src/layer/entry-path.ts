import type { ByteString } from "./tar/byte-string.ts";
import { TarFault } from "./tar/fault.ts";

/**
 * The components of a name in an archive, `.` and empty ones left out: none for the root.
 *
 * @throws UnsafeName when it is absolute or climbs with `..`
 */
export function entryComponents(name: ByteString): string[] {
  if (name.startsWith("/") && name.length > 1) throw new UnsafeName("is absolute");
  const components = name.split("/").filter((part) => part !== "" && part !== ".");
  if (components.includes("..")) throw new UnsafeName('climbs with ".."');
  return components;
}

/** Why a name is refused; the layer writer adds entry and layer. */
export class UnsafeName extends TarFault {}
