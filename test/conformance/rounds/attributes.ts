import {
  chmodSync,
  chownSync,
  constants,
  lchownSync,
  lstatSync,
  mkdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import {
  deviceNumber,
  makeNode,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  setModificationTime,
} from "../../../src/sys/file-node.ts";
import { getXattr, setXattr } from "../../../src/sys/xattr.ts";
import type { Keeps } from "../keeps.ts";
import { keptTime } from "../keeps.ts";
import { at, type Round, type RoundCases } from "./round.ts";

const S_IFSOCK = constants.S_IFSOCK;
const CAPABILITY = Buffer.from("0100000280000000000000000000000000000000", "hex");

/** One of everything. */
const PLANT: Round = at((path) => {
  mkdirSync(path("d"));
  for (const name of ["f", "d/g", "capable"]) writeFileSync(path(name), name);
  symlinkSync("f", path("s"));
  makeNode(path("p"), S_IFIFO | 0o600, 0);
  makeNode(path("c"), S_IFCHR | 0o600, deviceNumber(1, 3));
  makeNode(path("b"), S_IFBLK | 0o600, deviceNumber(7, 300));
});

export const ATTRIBUTE_ROUNDS: RoundCases = {
  "chmod and chown of everything below": [
    PLANT,
    at((path) => {
      for (const name of ["f", "d", "d/g", "p", "c", "b"]) chmodSync(path(name), 0o751);
    }),
    at((path) => {
      for (const name of ["f", "d", "d/g", "s", "p", "c", "b"]) lchownSync(path(name), 7, 8);
      chmodSync(path("f"), 0o4755);
      chmodSync(path("d"), 0o3777);
    }),
    at((path) => {
      // The kernel takes setuid away with the owner.
      chownSync(path("f"), 9, 9);
      return lstatSync(path("f")).mode & 0o7777;
    }),
  ],
  "times of everything below, to the nanosecond": [
    PLANT,
    (root, keeps) => touchAll(root, keeps, 1_500_000_000_123_456_789n),
    (root, keeps) => touchAll(root, keeps, -1_500_000_000n),
    (root, keeps) => touchAll(root, keeps, 4_294_967_296_000_000_001n),
  ],
  "attributes are set, changed and removed below": [
    PLANT,
    at((path, keeps) => {
      set(keeps, path("f"), "file", { "user.a": "1", "user.b": "2", "trusted.c": "3" });
      set(keeps, path("d"), "dir", { "user.a": "1", "trusted.c": "3" });
      set(keeps, path("s"), "symlink", { "trusted.c": "3" });
      set(keeps, path("c"), "char", { "trusted.c": "3" });
    }),
    at((path, keeps) => {
      set(keeps, path("f"), "file", { "user.a": "changed", "user.new": "" });
      set(keeps, path("d"), "dir", { "user.b": "\0binary\xff" });
      return getXattr(path("f"), "user.b")?.toString();
    }),
    at((path) => {
      writeFileSync(path("f"), "changed after");
      writeFileSync(path("d/new"), "");
    }),
  ],
  "a capability goes with a write and stays with a chmod": [
    PLANT,
    at((path, keeps) => {
      if (keeps.xattr("security.capability", "file"))
        setXattr(path("capable"), "security.capability", CAPABILITY);
    }),
    at((path) => chmodSync(path("capable"), 0o755)),
    at((path) => chownSync(path("capable"), 3, 3)),
  ],
  "what is made in a setgid directory below inherits its group": [
    at((path) => {
      mkdirSync(path("shared"));
      chownSync(path("shared"), 0, 44);
      chmodSync(path("shared"), 0o2775);
    }),
    at((path) => {
      writeFileSync(path("shared/f"), "");
      mkdirSync(path("shared/d"));
      const { gid, mode } = lstatSync(path("shared/d"));
      return [lstatSync(path("shared/f")).gid, gid, (mode & 0o2000) !== 0];
    }),
  ],
  "special files are made, and a socket": [
    at((path) => writeFileSync(path("f"), "")),
    at((path) => {
      makeNode(path("sock"), S_IFSOCK | 0o600, 0);
      makeNode(path("p"), S_IFIFO | 0o600, 0);
      makeNode(path("zero"), S_IFCHR | 0o666, deviceNumber(1, 5));
      return [lstatSync(path("sock")).isSocket(), lstatSync(path("p")).isFIFO()];
    }),
    at((path) => writeFileSync(path("f"), "beside a socket")),
  ],
};

/** The plain directory's times are cut to those that the driver's file system has. */
function touchAll(root: string, { times }: Keeps, time: bigint): void {
  for (const name of ["f", "d/g", "d", "s", "p", "c", "b"])
    setModificationTime(`${root}/${name}`, keptTime(times, time));
}

function set(
  keeps: Keeps,
  path: string,
  type: string,
  values: Readonly<Record<string, string>>,
): void {
  for (const [name, value] of Object.entries(values))
    if (keeps.xattr(name, type)) setXattr(path, name, Buffer.from(value, "latin1"));
}
