import type { ByteString } from "./byte-string.ts";
import { TarFault } from "./fault.ts";

/** Star's convention, which GNU tar, Go and containers follow: the value is the raw bytes. */
export const SCHILY_XATTR = "SCHILY.xattr.";
/** Libarchive's: the name URL-encoded, the value in base64 without padding. */
export const LIBARCHIVE_XATTR = "LIBARCHIVE.xattr.";

/** A PAX keyword can't hold `=`: GNU tar writes it, and `%`, as two hexadecimal digits. */
export function schilyXattrName(key: ByteString): ByteString {
  const name = key.slice(SCHILY_XATTR.length);
  if (!name.includes("%")) return name as ByteString;
  return name.replaceAll("%3D", "=").replaceAll("%25", "%") as ByteString;
}

/** The other way round. */
export function schilyXattrKey(name: ByteString): ByteString {
  return (SCHILY_XATTR + name.replaceAll("%", "%25").replaceAll("=", "%3D")) as ByteString;
}

/** @throws TarFault when the value is not base64 */
export function libarchiveXattr(
  key: ByteString,
  value: ByteString,
): readonly [name: ByteString, value: Buffer] {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
    throw new TarFault("LIBARCHIVE.xattr value is not base64");
  }
  const name = key
    .slice(LIBARCHIVE_XATTR.length)
    .replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number(`0x${hex}`)));
  return [name as ByteString, Buffer.from(value, "base64")];
}
