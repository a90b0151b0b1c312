import fc from "fast-check";
import { expect, test } from "vitest";
import type { ByteString } from "../../../../src/layer/tar/byte-string.ts";
import type { TarEntry, TarEntryType } from "../../../../src/layer/tar/entry.ts";
import { TAR_END, tarHeader, tarPadding } from "../../../../src/layer/tar/writer.ts";
import { parse } from "./archive.ts";

const TYPES: TarEntryType[] = ["file", "link", "symlink", "char", "block", "dir", "fifo"];

/** Any bytes but NUL, of lengths around those of the fields. */
const name = fc
  .oneof(
    fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom("a", "/", "é", ".", "'") }),
    fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 400 }),
    fc
      .array(fc.constantFrom(1, 50, 99, 100, 101, 155, 156, 255), { minLength: 1, maxLength: 4 })
      .map((lengths) => lengths.map((length) => "n".repeat(length)).join("/")),
  )
  .map((value) =>
    typeof value === "string"
      ? (Buffer.from(value).toString("latin1") as ByteString)
      : (String.fromCharCode(...value) as ByteString),
  );

const id = fc.oneof(fc.integer({ min: 0, max: 65535 }), fc.integer({ min: 0, max: 2 ** 32 - 2 }));
const seconds = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 33 }),
  fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
  fc.constantFrom(-1, 0, 8 ** 11 - 1, 8 ** 11),
);

const content = fc.uint8Array({ maxLength: 1200 }).map((bytes) => Buffer.from(bytes));
const xattrs = fc
  .array(fc.tuple(name, content), { maxLength: 3 })
  .map((pairs): ReadonlyMap<ByteString, Buffer> => new Map(pairs));

const entry = fc
  .record({
    type: fc.constantFrom(...TYPES),
    path: name,
    target: name,
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: id,
    gid: id,
    mtime: fc.record({
      seconds,
      nanoseconds: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 999_999_999 })),
    }),
    device: fc.tuple(fc.integer({ min: 0, max: 4095 }), fc.integer({ min: 0, max: 2 ** 20 - 1 })),
    xattrs,
    content,
  })
  .map(({ target, device, content, ...rest }) => {
    const isDevice = rest.type === "char" || rest.type === "block";
    const isLink = rest.type === "link" || rest.type === "symlink";
    const kept = rest.type === "file" ? content : Buffer.alloc(0);
    // `dir/` as a file's name is one that the v7 flag alone would make a directory.
    return {
      entry: {
        ...rest,
        linkPath: isLink ? target : ("" as ByteString),
        size: kept.length,
        devMajor: isDevice ? device[0] : 0,
        devMinor: isDevice ? device[1] : 0,
      } satisfies TarEntry,
      content: kept,
    };
  });

test("the parser reads back what the writer wrote, wherever the archive is cut", () => {
  const property = fc.property(
    fc.array(entry, { maxLength: 6 }),
    fc.array(fc.nat(), { maxLength: 12 }),
    (written, cuts) => {
      const archive = Buffer.concat([
        ...written.flatMap(({ entry, content }) => [
          tarHeader(entry),
          content,
          tarPadding(content.length),
        ]),
        TAR_END,
      ]);
      expect(archive.length % 512).toBe(0);
      const places = cuts.map((cut) => cut % archive.length);
      const read = parse(archive, {}, places).map(({ pieces: _, ...rest }) => rest);
      expect(read).toEqual(written.map(({ entry, content }) => ({ ...entry, content })));
    },
  );
  fc.assert(property, { numRuns: 300 });
});

test("sizes that ustar can't say survive in the header", () => {
  const sizes = [8 ** 11 - 1, 8 ** 11, 2 ** 40, Number.MAX_SAFE_INTEGER];
  for (const size of sizes) {
    const base = { path: "big" as ByteString, linkPath: "" as ByteString, type: "file" } as const;
    const header = tarHeader({
      ...base,
      ...{ mode: 0o644, uid: 0, gid: 0, size, mtime: { seconds: 0, nanoseconds: 0 } },
      ...{ devMajor: 0, devMinor: 0, xattrs: new Map() },
    });
    const limits = { fileBytes: Number.MAX_SAFE_INTEGER };
    expect(() => parse(header, limits)).toThrow(/^tar entry 1 'big' at byte \d+: .*cut short/);
    expect(() => parse(header, { fileBytes: size - 1 })).toThrow(`file has ${size} bytes`);
  }
});

test("the same entry gives the same bytes, whatever the order of its attributes", () => {
  fc.assert(
    fc.property(entry, ({ entry }) => {
      const reversed = { ...entry, xattrs: new Map([...entry.xattrs].reverse()) };
      expect(tarHeader(reversed).equals(tarHeader(entry))).toBe(true);
    }),
  );
});
