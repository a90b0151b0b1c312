const VERSION = 2;
const HEADER = 4;
const ENTRY = 8;
const OWNER = 0x01;
const GROUP = 0x04;
const MASK = 0x10;
const OTHERS = 0x20;
const TAGS: readonly number[] = [OWNER, 0x02, GROUP, 0x08, MASK, OTHERS];

/** What an access control list says of the mode of the file that it is set on. */
export interface AclMode {
  /** Permission bits, 0 to 0o777. */
  readonly mode: number;
  /** The mode says it all: the list is not kept. */
  readonly minimal: boolean;
}

/**
 * Reads the value of `system.posix_acl_access` or `_default`, as the kernel does when such
 * an attribute is set.
 * @returns undefined for what the kernel refuses
 * @see acl(5), linux/fs/posix_acl.c, posix_acl_equiv_mode
 */
export function aclMode(value: Buffer): AclMode | undefined {
  const entries = (value.length - HEADER) / ENTRY;
  if (!Number.isInteger(entries) || entries < 0 || value.readUInt32LE(0) !== VERSION)
    return undefined;
  const bits = new Map<number, number>();
  for (let at = HEADER; at < value.length; at += ENTRY) {
    const tag = value.readUInt16LE(at);
    const permissions = value.readUInt16LE(at + 2);
    if (!TAGS.includes(tag) || permissions > 7) return undefined;
    bits.set(tag, permissions);
  }
  if (entries === 0) return { mode: 0, minimal: true };
  const [owner, group, others] = [bits.get(OWNER), bits.get(GROUP), bits.get(OTHERS)];
  if (owner === undefined || group === undefined || others === undefined) return undefined;
  const minimal = entries === 3;
  if (!minimal && !bits.has(MASK)) return undefined;
  return { mode: (owner << 6) | ((bits.get(MASK) ?? group) << 3) | others, minimal };
}
