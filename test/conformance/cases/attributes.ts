import { device, dir, file, link, symlink } from "../../../fixtures/layers/change.ts";
import type { LayerCases } from "./layers.ts";

/** cap_setuid=ep, in the form of 2008 and in that with a namespace's root of 2016. */
const CAPABILITY = "\x01\0\0\x02\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
const CAPABILITY_OF_ROOT = "\x01\0\0\x03\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xe8\x03\0\0";

/** Tags of acl(5) entries as Linux numbers them. */
const [USER_OBJ, USER, GROUP_OBJ, MASK, OTHER] = [1, 2, 4, 16, 32];

/** A list of tag, permissions and, for a named user, its id. @see linux/posix_acl_xattr.h */
function acl(...entries: readonly (readonly [tag: number, allowed: number, id?: number])[]) {
  const bytes = Buffer.alloc(4 + 8 * entries.length);
  bytes.writeUInt32LE(2);
  entries.forEach(([tag, allowed, id], index) => {
    bytes.writeUInt16LE(tag, 4 + 8 * index);
    bytes.writeUInt16LE(allowed, 6 + 8 * index);
    bytes.writeUInt32LE(id ?? 0xffff_ffff, 8 + 8 * index);
  });
  return bytes.toString("latin1");
}

/** User 1000 may read and write; the group bits of the mode, 0o060, are the mask. */
const ACCESS = acl([USER_OBJ, 6], [USER, 6, 1000], [GROUP_OBJ, 4], [MASK, 6], [OTHER, 4]);
const DEFAULT = acl([USER_OBJ, 7], [USER, 7, 1000], [GROUP_OBJ, 5], [MASK, 7], [OTHER, 0]);

export const ATTRIBUTE_CASES: LayerCases = {
  "attributes of what is replaced are not kept": [
    [
      file("f", "", { xattrs: { "trusted.a": "b", "user.a": "b" } }),
      file("f", "again"),
      dir("d", { xattrs: { "trusted.a": "b" } }),
      symlink("d", "f"),
    ],
  ],
  "attributes of every kind": [
    [
      file("f", "", {
        xattrs: {
          "user.text": "v",
          "user.binary": "\0\x80\xff",
          "user.empty": "",
          "trusted.t": "1",
        },
      }),
      dir("d", { xattrs: { "user.d": "1", "trusted.d": "2" } }),
      symlink("s", "f", { xattrs: { "trusted.s": "3" } }),
      device("char", "n", [1, 3], { xattrs: { "trusted.n": "4" } }),
      file("fake", "", { xattrs: { "trusted.overlay.opaque": "y", "user.overlay.whiteout": "" } }),
      dir("fake-dir", {
        xattrs: { "trusted.overlay.opaque": "y", "trusted.overlay.redirect": "/d" },
      }),
    ],
    [dir("fake-dir", { xattrs: { "trusted.overlay.opaque": "y" } }), file("d/new")],
  ],
  "attributes that a layer changes, adds and no longer has": [
    [
      file("f", "", { xattrs: { "user.a": "1", "user.b": "2" } }),
      dir("d", { xattrs: { "user.a": "1", "user.b": "2" } }),
      file("d/f"),
    ],
    [
      file("f", "", { xattrs: { "user.b": "3", "user.c": "4" } }),
      dir("d", { xattrs: { "user.b": "3", "user.c": "4" } }),
    ],
    [link("g", "f"), file("d/g")],
  ],
  // Many of them, a long one, and a long name, below the 4 KiB that ext4 takes in all
  "many attributes, and long ones": [
    [
      file("many", "", {
        xattrs: Object.fromEntries(
          Array.from({ length: 40 }, (_, at) => [`user.number-${at}`, `${at}`]),
        ),
      }),
      file("long", "", { xattrs: { "user.long": "v".repeat(2000) } }),
      dir("d", { xattrs: { [`user.${"n".repeat(200)}`]: "v" } }),
    ],
    [link("linked", "long"), file("d/f")],
  ],
  // moby/moby#42655: a full copy lost the capabilities
  "file capabilities, of which a layer takes one away": [
    [
      file("old", "elf", { mode: 0o755, xattrs: { "security.capability": CAPABILITY } }),
      file("lost", "elf", { mode: 0o755, xattrs: { "security.capability": CAPABILITY } }),
      file("owned", "elf", { uid: 5, gid: 6, xattrs: { "security.capability": CAPABILITY } }),
    ],
    [
      file("lost", "elf", { mode: 0o755 }),
      file("new", "elf", { xattrs: { "security.capability": CAPABILITY_OF_ROOT } }),
      link("linked", "old"),
    ],
  ],
  "access control lists": [
    [
      file("f", "", { mode: 0o664, xattrs: { "system.posix_acl_access": ACCESS } }),
      dir("d", {
        mode: 0o770,
        xattrs: { "system.posix_acl_access": DEFAULT, "system.posix_acl_default": DEFAULT },
      }),
    ],
    [link("g", "f"), file("f2", "", { mode: 0o664 }), file("d/inside", "", { mode: 0o600 })],
  ],
  "nothing is inherited from a directory with a default list": [
    [
      dir("./", { xattrs: { "system.posix_acl_default": DEFAULT } }),
      dir("d", { xattrs: { "system.posix_acl_default": DEFAULT } }),
      file("d/f"),
    ],
    [file("d/g", "", { mode: 0o640 }), dir("d/e"), file("d/implied/h"), file("top"), dir("new")],
  ],
  "nothing is inherited from a directory with the setgid bit": [
    [dir("./", { mode: 0o2755, gid: 7 }), dir("d", { mode: 0o2775, gid: 8 }), file("d/f")],
    [file("d/g"), dir("d/e"), file("d/implied/h"), file("top"), dir("new"), symlink("s", "d")],
  ],
  "every bit of the mode, for files and directories": [
    [0, 0o1, 0o444, 0o777, 0o1000, 0o2000, 0o4000, 0o7000, 0o7777].flatMap((mode) => [
      file(`f${mode.toString(8)}`, "x", { mode, uid: 1, gid: 2 }),
      dir(`d${mode.toString(8)}`, { mode, uid: 3, gid: 4 }),
    ]),
    [file("d0/f"), file("d1000/g"), dir("d7777", { mode: 0 }), file("f7777", "y", { mode: 0 })],
  ],
  "chmod and chown of files below, as a build writes them": [
    [dir("d", { mode: 0o700 }), file("d/f", "same", { mode: 0o4755, uid: 1 }), file("d/g", "same")],
    [file("d/f", "same", { mode: 0o755, uid: 1 }), file("d/g", "same", { mode: 0o2755, gid: 3 })],
    [dir("d", { mode: 0o755, uid: 9, gid: 9 }), file("d/f", "same", { uid: 2, gid: 2 })],
  ],
  "owners as large as every file system has them": [
    [
      file("f", "", { uid: 65_536, gid: 2_147_483_647 }),
      dir("d", { uid: 2_147_483_647, gid: 65_535 }),
      symlink("s", "f", { uid: 100_000, gid: 65_534 }),
    ],
    [file("d/f", "", { uid: 2_147_483_647 })],
  ],
  "times before 1970, with nanoseconds, and beyond 2038": [
    [
      file("before", "", { mtime: { seconds: -2, nanoseconds: 750_000_000 } }),
      file("ns", "", { mtime: { seconds: 1, nanoseconds: 1 } }),
      file("late", "", { mtime: 4_294_967_296 }),
      dir("d", { mtime: { seconds: -1, nanoseconds: 1 } }),
      symlink("s", "d", { mtime: { seconds: 5, nanoseconds: 5 } }),
    ],
    [file("d/f")],
  ],
  "times that not every file system has": [
    [
      file("1901", "", { mtime: -2_147_483_648 }),
      file("1900", "", { mtime: -2_208_988_800 }),
      file("2446", "", { mtime: 15_032_385_535 }),
      file("5138", "", { mtime: { seconds: 100_000_000_000, nanoseconds: 0 } }),
    ],
  ],
};
