import {
  constants,
  crc32,
  deflateRawSync,
  gzipSync,
  type ZstdOptions,
  zstdCompressSync,
} from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Compression,
  createDecompressor,
  type DecompressorOptions,
  detectCompression,
  loadZlibSync,
} from "../../../src/layer/inflate.ts";
import { TsimgError } from "../../../src/sys/error.ts";

type Engine = "zlib-sync" | "node";

const ENGINES: readonly Engine[] = ["zlib-sync", "node"];
const addonWorks = loadZlibSync() !== undefined;

interface Case {
  readonly compression?: Compression;
  readonly options?: DecompressorOptions;
  readonly cuts?: readonly number[];
}

/** Decompresses `input`, cut at `cuts`; each piece's memory is overwritten after its push. */
async function decompress(input: Buffer, how: Case = {}): Promise<Buffer> {
  const output: Buffer[] = [];
  let settled = true;
  const emit = (chunk: Buffer) => {
    expect(settled, "output after push had ended").toBe(false);
    output.push(Buffer.from(chunk));
  };
  const decompressor = createDecompressor(how.compression ?? "gzip", emit, how.options);
  try {
    const places = [0, ...[...(how.cuts ?? [])].sort((a, b) => a - b), input.length];
    for (const [index, start] of places.entries()) {
      const piece = Buffer.from(input.subarray(start, places[index + 1] ?? input.length));
      settled = false;
      await decompressor.push(piece);
      settled = true;
      piece.fill(0xee);
    }
    settled = false;
    await decompressor.finish();
    settled = true;
    return Buffer.concat(output);
  } finally {
    decompressor.close();
  }
}

async function refusal(input: Buffer, how: Case = {}): Promise<TsimgError> {
  const error: unknown = await decompress(input, how).catch((error: unknown) => error);
  if (error instanceof TsimgError) return error;
  throw new Error(`not refused: ${error}`);
}

/** A gzip member with every optional field. */
function decorated(plain: Buffer): Buffer {
  const extra = Buffer.from("AB\x03\0xyz", "latin1");
  const header = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 0b11111, 1, 2, 3, 4, 0, 255, extra.length, 0]),
    ...[extra, Buffer.from("name\0comment\0")],
  ]);
  const tail = Buffer.alloc(10);
  tail.writeUInt16LE(crc32(header) & 0xffff, 0);
  tail.writeUInt32LE(crc32(plain), 2);
  tail.writeUInt32LE(plain.length, 6);
  const body = deflateRawSync(plain);
  return Buffer.concat([header, tail.subarray(0, 2), body, tail.subarray(2)]);
}

const text = Buffer.from("some text, and some more text. ".repeat(100));
const noise = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * at * 31) >> 7));
const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

for (const engine of ENGINES) {
  const missing = engine === "zlib-sync" && !addonWorks;
  const why = missing ? " (skipped: not built for this Node)" : "";
  describe.skipIf(missing)(`gzip by ${engine}${why}`, () => gzipTests(engine));
}

function gzipTests(engine: Engine): void {
  const options = { engine };

  test("of any members and padding, wherever it is cut, is the members' content", async () => {
    const member = fc
      .tuple(
        fc.oneof(fc.constant(text), fc.uint8Array({ maxLength: 300 }), fc.constant(noise)),
        fc.constantFrom(0, 1, 6, 9),
        fc.boolean(),
      )
      .map(([plain, level, fields]) => {
        const bytes = Buffer.from(plain);
        return { plain: bytes, packed: fields ? decorated(bytes) : gzipSync(bytes, { level }) };
      });
    const property = fc.asyncProperty(
      fc.array(member, { minLength: 1, maxLength: 4 }),
      fc.constantFrom(0, 0, 1, 7, 8, 20, 600),
      fc.array(fc.nat(), { maxLength: 6 }),
      async (members, zeros, cuts) => {
        const packed = [...members.map(({ packed }) => packed), Buffer.alloc(zeros)];
        const input = Buffer.concat(packed);
        const places = cuts.map((cut) => cut % (input.length + 1));
        const output = await decompress(input, { options, cuts: places });
        expect(output.equals(Buffer.concat(members.map(({ plain }) => plain)))).toBe(true);
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });

  test.each([gzipSync("", { level: 0 }), decorated(Buffer.alloc(0))])(
    "of an empty member of level 0 or with all fields, cut anywhere, and another (%#)",
    async (empty) => {
      const input = Buffer.concat([empty, gzipSync(text)]);
      for (let cut = 0; cut <= empty.length + 1; cut++)
        expect(await decompress(input, { options, cuts: [cut] })).toEqual(text);
    },
  );

  test("of equal members one after the other, and of empty ones", async () => {
    const member = gzipSync(text);
    const input = Buffer.concat([member, member, gzipSync(""), member]);
    for (const size of [1, 7, member.length, member.length + 1, 4096]) {
      const cuts = Array.from({ length: Math.floor(input.length / size) }, (_, at) => at * size);
      const output = await decompress(input, { options, cuts });
      expect(output.equals(Buffer.concat([text, text, text])), `in pieces of ${size}`).toBe(true);
    }
    expect(await decompress(Buffer.concat([gzipSync(""), gzipSync("")]), { options })).toHaveLength(
      0,
    );
  });

  const member = gzipSync(text);
  const wrong = (at: number) => {
    const bytes = Buffer.from(member);
    bytes.writeUInt8((bytes.at(at) ?? 0) ^ 1, at < 0 ? bytes.length + at : at);
    return bytes;
  };
  const refused: readonly (readonly [what: string, input: Buffer])[] = [
    ["nothing", Buffer.alloc(0)],
    ["a stream cut by one byte", member.subarray(0, -1)],
    ["a stream without its trailer", member.subarray(0, -8)],
    ["half a header", member.subarray(0, 5)],
    ["a wrong checksum", wrong(-8)],
    ["a wrong length", wrong(-1)],
    ["a wrong byte inside", wrong(30)],
    [
      "a wrong header checksum",
      Buffer.from(decorated(text).map((byte, at) => (at === 4 ? 9 : byte))),
    ],
    ["text after the stream", Buffer.concat([member, Buffer.from("text")])],
    ["one byte after the stream", Buffer.concat([member, Buffer.from("x")])],
    ["half a header after the stream", Buffer.concat([member, member.subarray(0, 2)])],
    ["half a member after the stream", Buffer.concat([member, member.subarray(0, 40)])],
    ["text after padding", Buffer.concat([member, Buffer.alloc(99), Buffer.from("text")])],
    ["a member after padding", Buffer.concat([member, Buffer.alloc(99), member])],
    ["no gzip at all", Buffer.from("no gzip at all")],
  ];
  test.for(refused)("refused: %s", async ([, input]) => {
    const everywhere = Array.from({ length: input.length }, (_, at) => at);
    for (const cuts of [
      [],
      everywhere,
      [member.length],
      [input.length - 1].filter((at) => at > 0),
    ]) {
      expect((await refusal(input, { options, cuts })).code).toBe("ERR_LAYER_CORRUPT");
    }
  });

  test("a bomb is refused by the limit's name, having given no more than it allows", async () => {
    const bomb = gzipSync(Buffer.alloc(30_000_000), { level: 9 });
    const error = await refusal(bomb, { options: { engine, maxOutputBytes: 1_000_000 } });
    expect([error.code, error.message]).toEqual([
      "ERR_LAYER_LIMIT",
      expect.stringContaining("'maxOutputBytes' of 1000000 bytes"),
    ]);
    const exact = await decompress(gzipSync(text), {
      options: { engine, maxOutputBytes: text.length },
    });
    expect(exact).toHaveLength(text.length);
  });

  test("what emit throws comes out of push, and nothing is emitted after", async () => {
    const mine = new RangeError("mine");
    let calls = 0;
    const emit = () => {
      calls++;
      throw mine;
    };
    const decompressor = createDecompressor("gzip", emit, options);
    const input = gzipSync(noise);
    await expect((async () => decompressor.push(Buffer.concat([input, input])))()).rejects.toBe(
      mine,
    );
    decompressor.close();
    expect(calls).toBe(1);
  });
}

describe("zstd", () => {
  const how = { compression: "zstd" } as const;

  test("of several frames and skippable ones, wherever it is cut", async () => {
    const plain = Buffer.concat([text, noise, text]);
    const frames = [skippable, zstdCompressSync(text), skippable, zstdCompressSync(noise)];
    const input = Buffer.concat([...frames, zstdCompressSync(text), skippable]);
    const property = fc.asyncProperty(fc.array(fc.nat(input.length)), async (cuts) => {
      expect((await decompress(input, { ...how, cuts })).equals(plain)).toBe(true);
    });
    await fc.assert(property, { numRuns: 50 });
  });

  test("cut short, corrupt or with something behind is refused", async () => {
    const frame = zstdCompressSync(text, checksummed());
    const flipped = Buffer.from(frame);
    flipped.writeUInt8(flipped.readUInt8(flipped.length - 1) ^ 1, flipped.length - 1);
    const inputs = [
      Buffer.alloc(0),
      frame.subarray(0, -1),
      frame.subarray(0, 3),
      flipped,
      Buffer.concat([frame, frame.subarray(0, -1)]),
      Buffer.concat([frame, Buffer.from("text")]),
    ];
    for (const input of inputs) {
      for (const cuts of [[], [frame.length - 1], [frame.length]]) {
        const inside = cuts.filter((at) => at <= input.length);
        expect((await refusal(input, { ...how, cuts: inside })).code).toBe("ERR_LAYER_CORRUPT");
      }
    }
  });

  test("that wants a window of a gibibyte is refused before it gets it", async () => {
    // Frame header: no single segment, window descriptor exponent 20 over 2^10.
    const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 20 << 3, 0x01, 0x00, 0x00]);
    const error = await refusal(frame, how);
    expect([error.code, error.message]).toEqual([
      "ERR_LAYER_CORRUPT",
      "zstd stream needs a window of more than 134217728 bytes",
    ]);
  });

  test("a bomb is refused by the limit's name", async () => {
    const bomb = zstdCompressSync(Buffer.alloc(30_000_000));
    const error = await refusal(bomb, { ...how, options: { maxOutputBytes: 1_000_000 } });
    expect(error.code).toBe("ERR_LAYER_LIMIT");
  });

  function checksummed(): ZstdOptions {
    return { params: { [constants.ZSTD_c_checksumFlag]: 1 } };
  }
});

test("an uncompressed layer goes through as it is, under the same limit", async () => {
  expect((await decompress(text, { compression: "none", cuts: [5] })).equals(text)).toBe(true);
  const options = { maxOutputBytes: 5 };
  expect((await refusal(text, { compression: "none", options })).code).toBe("ERR_LAYER_LIMIT");
});

test("compression shows in the first bytes", () => {
  expect(detectCompression(gzipSync(text))).toBe("gzip");
  expect(detectCompression(zstdCompressSync(text))).toBe("zstd");
  expect(detectCompression(skippable)).toBe("zstd");
  expect(detectCompression(text)).toBe("none");
  expect(detectCompression(Buffer.alloc(512))).toBe("none");
  expect(detectCompression(Buffer.alloc(0))).toBe("none");
});
