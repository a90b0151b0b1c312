import { describe, expect, test } from "vitest";
import { block, extended, extension, padded, parse } from "./archive.ts";

const END = Buffer.alloc(1024);
const archive = (...parts: Buffer[]) => Buffer.concat([...parts, END]);
const paths = (bytes: Buffer) => parse(bytes).map(({ path }) => path);
const only = (...parts: Buffer[]) => {
  const [entry, ...others] = parse(archive(...parts));
  expect(others).toEqual([]);
  if (entry === undefined) throw new Error("no entry");
  return entry;
};

/** A number in GNU's base 256. */
function base256(value: bigint, length: number): Buffer {
  const bits = BigInt.asUintN(length * 8, value);
  const bytes = Buffer.from(bits.toString(16).padStart(length * 2, "0"), "hex");
  bytes[0] = (bytes[0] ?? 0) | 0x80;
  return bytes;
}

describe("headers", () => {
  test("ustar joins prefix and name; GNU has times there, the seventh edition anything", () => {
    const raw = new Map([[345, "some/prefix"]]);
    const times = new Map([[345, "00000000001\x0000000000001"]]);
    expect(only(block({ name: "n", raw })).path).toBe("some/prefix/n");
    expect(only(block({ name: "n", raw: times, magic: "gnu" })).path).toBe("n");
    expect(only(block({ name: "n", raw, magic: "v7" })).path).toBe("n");
  });

  test("a prefix in a GNU header, as Go before 1.8 wrote it, is one", () => {
    const raw = new Map([[345, "some/prefix"]]);
    expect(only(block({ name: "n", raw, magic: "gnu" })).path).toBe("some/prefix/n");
  });

  test("a name that fills its field has no NUL", () => {
    expect(only(block({ name: "n".repeat(100), mode: "0000644" })).path).toBe("n".repeat(100));
  });

  test("only the NUL type makes a directory of a trailing slash", () => {
    expect(only(block({ name: "d/", type: "\0", magic: "v7" })).type).toBe("dir");
    expect(only(block({ name: "d/", type: "0" })).type).toBe("file");
  });

  test("contiguous files and types that nobody defined are files with content", () => {
    for (const type of ["7", "Z", "N"]) {
      const entry = only(block({ type, size: 3 }), padded("abc"));
      expect([entry.type, entry.content.toString()]).toEqual(["file", "abc"]);
    }
  });

  test("numbers come in octal with any padding, and in base 256 with any sign", () => {
    const mtime = (value: string | Buffer) => only(block({ raw: new Map([[136, value]]) })).mtime;
    expect(mtime("      17777 ").seconds).toBe(0o17777);
    expect(mtime("17777\0junk..").seconds).toBe(0o17777);
    expect(mtime("\0".repeat(12)).seconds).toBe(0);
    expect(mtime("777777777777").seconds).toBe(8 ** 12 - 1);
    expect(mtime(base256(-1n, 12)).seconds).toBe(-1);
    expect(mtime(base256(-(2n ** 40n), 12)).seconds).toBe(-(2 ** 40));
    expect(mtime(base256(2n ** 40n, 12)).seconds).toBe(2 ** 40);
    const uid = only(block({ raw: new Map([[108, base256(2_000_000_000n, 8)]]) })).uid;
    expect(uid).toBe(2_000_000_000);
  });

  test("a checksum over signed bytes is a checksum too", () => {
    const header = block({ name: "h\xe9llo" });
    const sum = header.reduce((total, byte) => total + byte, 0);
    const own = header.subarray(148, 156).reduce((total, byte) => total + byte, 0);
    header.write(`${(sum - own + 8 * 32 - 256).toString(8).padStart(6, "0")}\0 `, 148);
    expect(only(header).path).toBe("h\xe9llo");
  });

  test("device numbers are those of devices only", () => {
    const raw = new Map([
      [329, "0000010"],
      [337, "0000003"],
    ]);
    const numbers = (type: string) => {
      const { devMajor, devMinor } = only(block({ type, raw }));
      return [devMajor, devMinor];
    };
    expect(numbers("3")).toEqual([8, 3]);
    expect(numbers("4")).toEqual([8, 3]);
    expect(numbers("0")).toEqual([0, 0]);
  });

  test("links, directories and devices have no content, whatever size they state", () => {
    const next = block({ name: "next" });
    for (const type of ["1", "2", "3", "4", "5", "6"]) {
      const first = block({ type, size: 700, link: type < "3" ? "target" : "" });
      const read = parse(archive(first, next));
      expect(read.map(({ path, size }) => [path, size])).toEqual([
        ["file", 0],
        ["next", 0],
      ]);
    }
  });

  test("volume labels are passed over, GNU's directory lists are not content", () => {
    const label = block({ name: "label", type: "V", magic: "gnu" });
    const list = [block({ name: "d", type: "D", size: 5, magic: "gnu" }), padded("Yfile")];
    const read = parse(archive(label, ...list, block({ name: "next" })));
    expect(read.map(({ path, type, pieces }) => [path, type, pieces])).toEqual([
      ["d", "dir", []],
      ["next", "file", []],
    ]);
  });
});

describe("extended headers", () => {
  test("long names end at their NUL, win over PAX and hold for one entry", () => {
    const long = `${"l".repeat(300)}\xff`;
    const bytes = archive(
      extended(["path=pax", "linkpath=pax"]),
      extension("L", `${long}\0`, "gnu"),
      extension("K", `${long}2\0`, "gnu"),
      block({ type: "2", link: "t", magic: "gnu" }),
      block({ name: "next" }),
    );
    expect(parse(bytes).map(({ path, linkPath }) => [path, linkPath])).toEqual([
      [long, `${long}2`],
      ["next", ""],
    ]);
  });

  test("PAX times are decimal, floored, and cut at nanoseconds", () => {
    const mtime = (value: string) => {
      const { seconds, nanoseconds } = only(extended([`mtime=${value}`]), block({})).mtime;
      return [seconds, nanoseconds];
    };
    expect(mtime("12.5")).toEqual([12, 500_000_000]);
    expect(mtime("12.")).toEqual([12, 0]);
    expect(mtime("-12")).toEqual([-12, 0]);
    expect(mtime("-0.25")).toEqual([-1, 750_000_000]);
    expect(mtime("-12.000000001")).toEqual([-13, 999_999_999]);
    expect(mtime("1.1234567899999")).toEqual([1, 123_456_789]);
    for (const wrong of ["1e3", ".5", "1.5.5", "1,5", " 1", "-", "1.-5", "0x1"])
      expect(() => mtime(wrong), wrong).toThrow("PAX mtime is not a decimal number");
  });

  test("global records hold until changed; an empty value takes one away", () => {
    const bytes = archive(
      extended(["uid=7", "comment=a commit", "SCHILY.xattr.user.a=1"], "g"),
      block({ name: "first" }),
      extended(["uid="]),
      block({ name: "second" }),
      extended(["gid=8", "SCHILY.xattr.user.a="]),
      block({ name: "third" }),
      extended(["uid=9"], "g"),
      block({ name: "fourth" }),
    );
    const read = parse(bytes).map(({ uid, gid, xattrs }) => [uid, gid, xattrs.size]);
    expect(read).toEqual([
      [7, 0, 1],
      [0, 0, 1],
      [7, 8, 0],
      [9, 0, 1],
    ]);
  });

  test("a global header with only a comment, as git archive writes it, is no entry", () => {
    const comment = extended([`comment=${"0".repeat(40)}`], "g");
    expect(paths(archive(comment, block({ name: "a" })))).toEqual(["a"]);
    expect(paths(archive(comment))).toEqual([]);
  });

  test("xattr values are raw bytes, in both vendors' records", () => {
    const value = "\x01\0\0\x02\x80\xff=\n";
    const coded = Buffer.from(value, "latin1").toString("base64").replace(/=+$/, "");
    const entry = only(
      extended([
        `SCHILY.xattr.security.capability=${value}`,
        "SCHILY.xattr.user.a%3Db%25=x",
        "SCHILY.xattr.user.empty=",
        `LIBARCHIVE.xattr.user.%C3%A9=${coded}`,
      ]),
      block({}),
    );
    const read = [...entry.xattrs].map(([name, bytes]) => [name, bytes.toString("latin1")]);
    expect(read).toEqual([
      ["security.capability", value],
      ["user.a=b%", "x"],
      ["user.empty", ""],
      ["user.\xc3\xa9", value],
    ]);
  });

  test("records of no interest are passed over", () => {
    const records = ["atime=x", "ctime=y", "SCHILY.dev=1", "SCHILY.ino=2", "hdrcharset=BINARY"];
    expect(only(extended(records), block({})).path).toBe("file");
  });
});

describe("sparse files", () => {
  const number = (value: number) => `${value.toString(8).padStart(11, "0")}\0`;
  const pieces = [
    [5, 3],
    [600, 2],
  ];

  test("in the old format, with extension blocks", () => {
    const pairs = Array.from({ length: 30 }, (_, at) => `${number(at * 10)}${number(1)}`);
    const raw = new Map<number, string | Buffer>([
      [386, pairs.slice(0, 4).join("")],
      [482, "\x01"],
      [483, number(5000)],
    ]);
    const more = Buffer.alloc(512);
    more.write(`${pairs.slice(4, 25).join("")}\x01`, "latin1");
    const last = Buffer.alloc(512);
    last.write(pairs.slice(25).join(""), "latin1");
    const header = block({ name: "s", type: "S", size: 30, magic: "gnu", raw });
    const entry = only(header, more, last, padded("x".repeat(30)));
    expect([entry.size, entry.pieces.length, entry.pieces[29]]).toEqual([5000, 30, [290, 1]]);
  });

  test.for([
    ["0.0", ["GNU.sparse.offset=5", "GNU.sparse.numbytes=3"]],
    ["0.1", ["GNU.sparse.map=5,3,600,2", "GNU.sparse.name=real"]],
  ] as const)("in PAX format %s", ([version, map]) => {
    const rest = ["GNU.sparse.offset=600", "GNU.sparse.numbytes=2"];
    const records = [
      ...["GNU.sparse.size=1000", "GNU.sparse.numblocks=2", ...map],
      ...(version === "0.0" ? rest : []),
    ];
    const entry = only(extended(records), block({ name: "real", size: 5 }), padded("abcde"));
    expect([entry.path, entry.size, entry.pieces]).toEqual(["real", 1000, pieces]);
    expect(entry.content.toString("latin1", 600, 602)).toBe("de");
  });

  test("in PAX format 1.0, its map in front of the content", () => {
    const records = ["major=1", "minor=0", "name=real", "realsize=1000"];
    const header = block({ name: "GNUSparseFile.0/real", size: 517 });
    const entry = only(
      extended(records.map((record) => `GNU.sparse.${record}`)),
      ...[header, padded("2\n5\n3\n600\n2\n"), padded("abcde")],
    );
    expect([entry.path, entry.size, entry.pieces]).toEqual(["real", 1000, pieces]);
  });

  test("that are one hole", () => {
    const records = ["GNU.sparse.size=1000", "GNU.sparse.numblocks=0", "GNU.sparse.map="];
    expect(only(extended(records), block({})).pieces).toEqual([]);
    expect(only(extended(records), block({})).size).toBe(1000);
  });
});

describe("the end of an archive", () => {
  const file = [block({ size: 3 }), padded("abc")];

  test("is two blocks of zeros, and anything may follow", () => {
    expect(paths(Buffer.concat([...file, END, Buffer.from("anything")]))).toEqual(["file"]);
    expect(paths(Buffer.concat([...file, END, ...file]))).toEqual(["file"]);
  });

  test("may be missing, with the last padding or one block of it", () => {
    expect(paths(Buffer.alloc(0))).toEqual([]);
    expect(paths(Buffer.concat(file))).toEqual(["file"]);
    expect(paths(Buffer.concat([...file, Buffer.alloc(512)]))).toEqual(["file"]);
    expect(paths(Buffer.concat(file).subarray(0, 515))).toEqual(["file"]);
    expect(paths(Buffer.concat(file).subarray(0, 700))).toEqual(["file"]);
  });
});
