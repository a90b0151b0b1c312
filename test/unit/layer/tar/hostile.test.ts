import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ByteString } from "../../../../src/layer/tar/byte-string.ts";
import { TarFault } from "../../../../src/layer/tar/fault.ts";
import type { TarLimits } from "../../../../src/layer/tar/limits.ts";
import { TarParser } from "../../../../src/layer/tar/parser.ts";
import { TAR_END, tarHeader, tarPadding } from "../../../../src/layer/tar/writer.ts";
import { TsimgError } from "../../../../src/sys/error.ts";
import { block, extended, extension, padded, parse } from "./archive.ts";

const END = Buffer.alloc(1024);

function refusal(parts: readonly Buffer[], limits: Partial<TarLimits> = {}): TsimgError {
  try {
    parse(Buffer.concat(parts), limits);
  } catch (error) {
    if (error instanceof TsimgError) return error;
    throw error;
  }
  throw new Error("the archive was taken");
}

const pax = (...records: string[]) => [extended(records), block({}), END];
const number = (value: number) => `${value.toString(8).padStart(11, "0")}\0`;

const OLD_SPARSE = { type: "S", magic: "gnu" } as const;
const sparse1 = (map: string, realsize = 1000, stored = 512) => [
  extended(["GNU.sparse.major=1", "GNU.sparse.minor=0", `GNU.sparse.realsize=${realsize}`]),
  ...[block({ size: stored }), padded(map), END],
];
const sparse01 = (map: string, numblocks: number, ...more: string[]) =>
  pax(
    "GNU.sparse.size=1000",
    `GNU.sparse.numblocks=${numblocks}`,
    `GNU.sparse.map=${map}`,
    ...more,
  );

const CORRUPT: readonly (readonly [attack: string, parts: readonly Buffer[], message: string])[] = [
  ["a header block of noise", [Buffer.alloc(512, 0x55)], "header checksum is not an octal"],
  ["a flipped bit in a header", [flipped(block({}), 3)], "header checksum is wrong"],
  ["a negative size", [block({ raw: new Map([[124, "\xff".repeat(12)]]) })], "size -1 is out of"],
  [
    "a size of 2^95",
    [block({ raw: new Map([[124, `\x80\x7f${"\xff".repeat(10)}`]]) })],
    "size is out",
  ],
  [
    "a size in hexadecimal",
    [block({ raw: new Map([[124, "0000000000f"]]) })],
    "size is not an octal",
  ],
  [
    "a negative uid",
    [block({ raw: new Map([[108, "\xff".repeat(8)]]) })],
    "uid -1 is out of range",
  ],
  ["the uid that chown(2) ignores", pax("uid=4294967295"), "uid 4294967295 is out of range"],
  ["a PAX uid below zero", pax("uid=-1"), "uid -1 is out of range"],
  ["a PAX size below zero", pax("size=-1"), "size -1 is out of range"],
  ["a PAX size of 2^80", pax("size=1208925819614629174706176"), "PAX size is out of range"],
  [
    "a device number beyond Linux's",
    [block({ type: "3", raw: new Map([[337, "7777777"]]) })],
    "device",
  ],
  ["an entry without a name", [block({ name: "" })], "path is empty"],
  ["a link to nothing", [block({ type: "2" })], "link has no target"],
  ["a NUL in a PAX path", pax("path=bin/sh\0.txt"), "PAX path has a NUL"],
  ["a NUL in a PAX linkpath", pax("linkpath=a\0b"), "PAX linkpath has a NUL"],
  ["a NUL in an xattr name", pax("SCHILY.xattr.user.\0=x"), "PAX keyword has a NUL"],
  ["a coded NUL in an xattr name", pax("LIBARCHIVE.xattr.user.%00=eA"), "no usable name"],
  ["an xattr without a name", pax("SCHILY.xattr.=x"), "no usable name"],
  ["an xattr that is not base64", pax("LIBARCHIVE.xattr.user.a=?"), "not base64"],
  ["a PAX record longer than its header", [extension("x", "99 path=a\n")], "does not end where"],
  ["a PAX record of length zero", [extension("x", "0 path=a\n")], "does not end where"],
  [
    "a PAX record that swallows the next",
    [extension("x", "9 path=a\n9 path=b\n".slice(1))],
    "PAX record",
  ],
  ["a PAX record without a length", [extension("x", "path=a\n")], "PAX record has no length"],
  ["a PAX record of negative length", [extension("x", "-9 path=a\n")], "does not end where"],
  ["a PAX record without a keyword", [extension("x", "5 =a\n")], "has no keyword"],
  ["a PAX record without a value", [extension("x", "7 path\n")], "has no keyword"],
  ["a lone block of zeros before more", [Buffer.alloc(512), block({})], "lone block of zeros"],
  ["a header cut short", [block({}).subarray(0, 511)], "cut short in its header"],
  ["content cut short", [block({ size: 9 }), Buffer.alloc(8)], "cut short in its content"],
  [
    "an extended header cut short",
    [extension("x", "9 path=a\n").subarray(0, 520)],
    "in its extended",
  ],
  ["an extended header before the end", [extended(["path=a"]), END], "between an extended header"],
  ["an extended header at the end", [extended(["path=a"])], "between an extended header"],
  ["a file of another volume", [block({ type: "M", magic: "gnu" })], "another volume"],
  [
    "a sparse map in a global header",
    [extended(["GNU.sparse.map=0,1"], "g")],
    "global header describes",
  ],
  ["a sparse map that overlaps", sparse01("0,2,1,2", 2), "overlaps"],
  ["a sparse map that goes back", sparse01("9,1,1,1", 2), "overlaps"],
  ["a sparse map beyond the file", sparse01("999,2", 1), "leaves the file"],
  [
    "a sparse map of more than is stored",
    sparse01("0,2", 1),
    "places 2 bytes where the entry has 0",
  ],
  ["a sparse map with half a pair", sparse01("0,2,3", 1), "number of blocks"],
  ["a sparse map of other length than stated", sparse01("0,2", 2), "number of blocks"],
  ["a sparse map with a negative offset", sparse01("-1,2", 1), "overlaps, goes back"],
  ["sparse records out of turn", pax("GNU.sparse.size=9", "GNU.sparse.numbytes=1"), "alternate"],
  ["a sparse version of the future", pax("GNU.sparse.major=2"), "none of 0.0"],
  ["a sparse map without end", sparse1("9999999\n0\n"), "not a list of decimal numbers"],
  ["a sparse map longer than its entry", sparse1("1\n0\n1\n", 1000, 100), "longer than the entry"],
  ["a sparse map in octal of letters", sparse1("0x1\n"), "not a list of decimal numbers"],
  ["an old sparse file that shrinks", [oldSparse([0, 600], 10, 600)], "leaves the file"],
  ["an old sparse file with negative offset", [oldSparse([-1, 1], 10, 1)], "overlaps, goes back"],
  ["an old sparse file in ustar", [block({ type: "S", size: 0 })], "not in GNU's format"],
];

test.for(CORRUPT)("refused as corrupt: %s", ([, parts, message]) => {
  const error = refusal(parts);
  expect([error.code, error.message]).toEqual([
    "ERR_LAYER_CORRUPT",
    expect.stringContaining(message),
  ]);
  expect(error.message).toMatch(/^tar entry \d+ ('.*' )?at byte \d+: /);
});

const LIMITS: readonly (readonly [string, Partial<TarLimits>, readonly Buffer[]])[] = [
  ["entries", { entries: 2 }, [block({}), block({}), block({})]],
  ["pathBytes", { pathBytes: 5 }, pax("path=longer")],
  ["pathBytes", { pathBytes: 5 }, [extended(["linkpath=longer"]), block({ type: "2" })]],
  ["pathBytes", {}, [extension("L", "x".repeat(4097), "gnu"), block({ magic: "gnu" })]],
  ["headerBytes", {}, [block({ type: "x", size: 1024 ** 2 + 1 })]],
  ["headerBytes", {}, [block({ type: "L", size: 8 ** 11 - 1, magic: "gnu" })]],
  ["headerBytes", { headerBytes: 511 }, sparse1("1\n0\n1\n")],
  ["headerBytes", { headerBytes: 20 }, [oldSparse([0, 1], 10, 1)]],
  ["globalHeaderBytes", { globalHeaderBytes: 9 }, [extended(["SCHILY.xattr.user.a=long"], "g")]],
  ["xattrBytes", { xattrBytes: 9 }, pax("SCHILY.xattr.user.a=long")],
  ["fileBytes", { fileBytes: 2 }, [block({ size: 3 })]],
  [
    "fileBytes",
    {},
    [oldSparse([0, 1], 8 ** 11 - 1, 1, `\x80${"\0".repeat(5)}\x7f${"\0".repeat(5)}`)],
  ],
];

test.for(LIMITS)("over the limit '%s' is refused by its name", ([name, limits, parts]) => {
  const error = refusal(parts, limits);
  expect([error.code, error.message]).toEqual([
    "ERR_LAYER_LIMIT",
    expect.stringContaining(`the limit '${name}'`),
  ]);
  expect(error.hint).toContain(name);
});

describe("errors", () => {
  test("name the entry, printable, and where its header is", () => {
    const first = [block({ name: "ok", size: 600 }), padded("x".repeat(600))];
    const error = refusal([...first, block({ name: "a\x1b[31m'\xff", mode: "999" })]);
    expect(error.message).toBe(
      "tar entry 2 'a\\x1b[31m\\'\\xff' at byte 1536: mode is not an octal number",
    );
  });

  test("that a handler throws come out unchanged, its faults with their place", () => {
    const thrown = (error: Error) => {
      const entry = () => {
        throw error;
      };
      const parser = new TarParser({ entry, data() {}, entryEnd() {} });
      try {
        parser.push(block({ name: "x" }));
      } catch (caught) {
        expect(() => parser.push(block({ name: "y" }))).toThrow("has failed before");
        return caught;
      }
    };
    const own = new RangeError("own");
    expect(thrown(own)).toBe(own);
    expect(thrown(new TarFault("own"))).toMatchObject({
      code: "ERR_LAYER_CORRUPT",
      message: "tar entry 1 'x' at byte 0: own",
    });
  });
});

/** What is not a TsimgError here is a bug; what takes long is one too. */
test("an archive with bytes changed is read or refused, and never anything else", () => {
  const valid = sampleArchive();
  const change = fc.tuple(fc.nat(valid.length - 1), fc.nat(255));
  const fix = fc.boolean();
  const property = fc.property(
    fc.array(change, { minLength: 1, maxLength: 8 }),
    fix,
    fc.nat(valid.length),
    (changes, fixed, cut) => {
      const archive = Buffer.from(valid);
      for (const [at, value] of changes) archive[at] = value;
      if (fixed) fixChecksums(archive);
      try {
        parse(archive.subarray(0, cut % 5 === 0 ? cut : undefined), {}, [cut]);
      } catch (error) {
        if (!(error instanceof TsimgError)) throw error;
      }
    },
  );
  fc.assert(property, { numRuns: 2000 });
});

test("many short records don't make the parser scan the header again for each", () => {
  const records = Array.from({ length: 40_000 }, () => "mtime=1");
  const maps = Array.from({ length: 20_000 }, () => "GNU.sparse.map=1");
  const pax = extended([...records, ...maps]);
  const { length } = parse(Buffer.concat([extended(records), block({}), END]));
  expect(length).toBe(1);
  expect(refusal([pax, block({}), END]).message).toContain("number of blocks");
});

function flipped(bytes: Buffer, at: number): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
}

function oldSparse(
  [offset, length]: readonly [number, number],
  size: number,
  stored: number,
  rawSize = number(size),
): Buffer {
  const where = offset < 0 ? "\xff".repeat(12) : number(offset);
  const raw = new Map([
    [386, `${where}${number(length)}`],
    [483, rawSize],
  ]);
  return Buffer.concat([block({ ...OLD_SPARSE, size: stored, raw }), Buffer.alloc(1024)]);
}

/** Every kind of header, so that a changed byte reaches every branch. */
function sampleArchive(): Buffer {
  const file = (path: string, content: string) => {
    const entry = {
      ...{ path: path as ByteString, linkPath: "" as ByteString, type: "file" as const },
      ...{ mode: 0o644, uid: 1, gid: 2, size: content.length, devMajor: 0, devMinor: 0 },
      mtime: { seconds: -3, nanoseconds: 5 },
      xattrs: new Map([["user.a" as ByteString, Buffer.from("\0\xff")]]),
    };
    return [tarHeader(entry), Buffer.from(content), tarPadding(content.length)];
  };
  return Buffer.concat([
    ...file("a".repeat(120), "hello"),
    extended(["uid=7", "SCHILY.xattr.user.g=1", "comment=x"], "g"),
    ...[extension("L", `${"n".repeat(130)}\0`, "gnu"), block({ magic: "gnu" })],
    oldSparse([3, 4], 600, 4).subarray(0, 1024),
    ...[block({ type: "2", link: "x" }), block({ type: "5", name: "d/" })],
    ...sparse1("2\n5\n3\n600\n2\n", 1000, 517).slice(0, 3),
    padded("abcde"),
    extended(["GNU.sparse.size=99", "GNU.sparse.numblocks=1", "GNU.sparse.map=7,2"]),
    ...[block({ size: 2 }), padded("xy")],
    ...file("last", "x".repeat(700)),
    TAR_END,
  ]);
}

/** Makes every block that isn't content a header again, so that changes get past the checksum. */
function fixChecksums(archive: Buffer): void {
  for (let at = 0; at + 512 <= archive.length; at += 512) {
    const header = archive.subarray(at, at + 512);
    if (header.toString("latin1", 257, 262) !== "ustar") continue;
    header.fill(" ", 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  }
}
