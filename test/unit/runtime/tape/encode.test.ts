import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeTape, HEADER_SIZE } from "../../../../src/runtime/tape/encode.ts";
import { ERRNO } from "../../../../src/runtime/tape/errno.ts";
import { SYSCALL_NAMES } from "../../../../src/runtime/tape/syscalls.ts";
import type { Argument, Step, Tape } from "../../../../src/runtime/tape/tape.ts";
import { bytes, flags, words } from "../../../../src/runtime/tape/tape.ts";
import { ImageReader } from "./image-reader.ts";

const EMPTY: Tape = {
  before: [],
  cloneFlags: [],
  beside: [],
  child: [],
  after: [],
  options: [],
  files: {},
};

const text = fc.string({ unit: "grapheme", maxLength: 40 }).filter((it) => !it.includes("\0"));
const argument: fc.Arbitrary<Argument> = fc.oneof(
  fc.integer(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.nat(254).map((index) => ({ kind: "register" as const, index })),
  text,
);
const step: fc.Arbitrary<Step> = fc.record({
  call: fc.constantFrom(...SYSCALL_NAMES, "skip" as const, "fail" as const, "rmtree" as const),
  args: fc.array(argument, { maxLength: 6 }),
  why: text.filter((it) => it !== ""),
  hint: fc.option(
    text.filter((it) => it !== ""),
    { nil: undefined },
  ),
  status: fc.constantFrom(125 as const, 126 as const, 127 as const),
  result: fc.option(
    fc.nat(254).map((index) => ({ kind: "register" as const, index })),
    { nil: undefined },
  ),
  tolerate: fc.oneof(
    fc.constant("any" as const),
    fc.uniqueArray(fc.constantFrom(...(Object.keys(ERRNO) as (keyof typeof ERRNO)[])), {
      maxLength: 4,
    }),
  ),
  warn: fc.boolean(),
  retryBusy: fc.boolean(),
  skipOnOk: fc.nat(0xffff),
  skipOnTolerated: fc.nat(0xffff),
});

function expectedWord(argument: Argument): bigint | string {
  if (typeof argument === "number" || typeof argument === "bigint") {
    return BigInt.asUintN(64, BigInt(argument));
  }
  if (typeof argument === "string") return argument;
  return argument.kind === "register" ? BigInt(argument.index) : -1n;
}

describe("encodeTape", () => {
  test("keeps every field of every step", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 20 }),
        fc.constantFrom("x86_64" as const, "aarch64" as const),
        (steps, machine) => {
          const image = encodeTape({ ...EMPTY, before: steps, after: steps.slice(0, 3) }, machine);
          const reader = new ImageReader(image, machine);
          const read = reader.phase(0);
          expect(image.readUInt32LE(12)).toBe(image.length);
          expect(reader.phase(1)).toEqual([]);
          expect(reader.phase(2)).toEqual([]);
          expect(reader.phase(3)).toEqual(
            read.slice(0, 3).map((it) => expect.objectContaining({ why: it.why })),
          );
          steps.forEach((wanted, index) => {
            const found = read[index];
            expect(found).toMatchObject({
              call: wanted.call,
              result: wanted.result?.index ?? 255,
              status: wanted.status,
              flags:
                (wanted.tolerate === "any" ? 1 : 0) +
                (wanted.warn ? 2 : 0) +
                (wanted.retryBusy ? 4 : 0),
              skipOnOk: wanted.skipOnOk,
              skipOnTolerated: wanted.skipOnTolerated,
              why: wanted.why,
              hint: wanted.hint,
            });
            if (wanted.tolerate !== "any") {
              expect([...(found?.tolerate ?? [])].sort()).toEqual([...wanted.tolerate].sort());
            }
            wanted.args.forEach((argument, position) => {
              const address = HEADER_SIZE + index * 80 + 32 + position * 8;
              const word = found?.args[position] ?? -1n;
              const relocated = reader.relocations.has(address);
              expect(relocated).toBe(typeof argument === "string");
              expect(relocated ? reader.string(Number(word)) : word).toEqual(
                expectedWord(argument),
              );
            });
          });
        },
      ),
    );
  });

  test("lays out structures that point to others, each object once", () => {
    const shared = bytes("shared", Uint8Array.of(1, 2, 3));
    const list = { kind: "strings" as const, values: ["a", "b"] };
    const outer = words("outer", 7, shared, list, flags("O_DIRECTORY"));
    const place = { kind: "place" as const, of: shared, offset: 2 };
    const one: Step = {
      call: "ioctl",
      args: [outer, shared, place, outer],
      why: "testing",
      hint: undefined,
      status: 125,
      result: undefined,
      tolerate: [],
      warn: false,
      retryBusy: false,
      skipOnOk: 0,
      skipOnTolerated: 0,
    };
    const image = encodeTape({ ...EMPTY, child: [one] }, "aarch64");
    const reader = new ImageReader(image, "aarch64");
    const [at = 0, sharedAt = 0, placeAt, again] = reader.phase(2)[0]?.args.map(Number) ?? [];
    const word = (offset: number) => Number(image.readBigUInt64LE(offset));
    expect(again).toBe(at);
    expect([...image.subarray(sharedAt, sharedAt + 3)]).toEqual([1, 2, 3]);
    expect(placeAt).toBe(sharedAt + 2);
    expect([word(at), word(at + 8), word(at + 24)]).toEqual([7, sharedAt, 0x4000]);
    const listAt = word(at + 16);
    expect([reader.string(word(listAt)), reader.string(word(listAt + 8))]).toEqual(["a", "b"]);
    expect(word(listAt + 16)).toBe(0);
    for (const offset of [at + 8, at + 16, listAt, listAt + 8]) {
      expect(reader.relocations.has(offset) && offset % 8 === 0).toBe(true);
    }
  });

  test("refuses a NUL byte, which would cut a path short", () => {
    const child = { ...EMPTY, printId: "a\0b" };
    expect(() => encodeTape(child, "x86_64")).toThrow("NUL byte");
  });
});
