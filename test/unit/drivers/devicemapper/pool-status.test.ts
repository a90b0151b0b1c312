import fc from "fast-check";
import { expect, it } from "vitest";
import {
  LEAST_FREE,
  parsePoolStatus,
  requireNotFull,
  requireRoom,
} from "../../../../drivers/devicemapper/pool-status.ts";

const BLOCK = 65_536;

it("reads what the kernel says of a pool", () => {
  const line = "7 1656/16384 20/131072 - rw discard_passdown error_if_no_space - 1024";
  expect(parsePoolStatus(line, BLOCK)).toEqual({
    data: { used: 20 * BLOCK, total: 131_072 * BLOCK },
    metadata: { used: 1656 * 4096, total: 16_384 * 4096 },
    mode: "rw",
  });
  const held = "0 1/2 3/3 4711 out_of_data_space discard_passdown error_if_no_space needs_check 5";
  expect(parsePoolStatus(held, BLOCK).mode).toBe("out_of_data_space");
});

it("takes any other text for a pool that has failed", () => {
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom("Fail", "Error", ""), fc.string()), (line) => {
      expect(parsePoolStatus(line, BLOCK).mode).toBe("fail");
    }),
  );
});

it("refuses to begin something exactly when less than the least part of either is free", () => {
  const share = fc
    .record({ total: fc.integer({ min: 1, max: 1e6 }), part: fc.nat({ max: 1000 }) })
    .map(({ total, part }) => ({ total, used: Math.floor((total * part) / 1000) }));
  fc.assert(
    fc.property(share, share, (data, metadata) => {
      const scarce = [data, metadata].some(({ used, total }) => total - used < total * LEAST_FREE);
      const begin = () => requireRoom("fast", { data, metadata, mode: "rw" });
      if (scarce) expect(begin).toThrow(/thin pool 'fast' is almost full: .* (meta)?data used/);
      else begin();
    }),
  );
});

it("says how much of what is used", () => {
  const status = (used: number, more: number) => ({
    data: { used, total: 20e9 },
    metadata: { used: more, total: 100e6 },
    mode: "rw" as const,
  });
  expect(() => requireRoom("fast", status(18.6e9, 0))).toThrow(
    "thin pool 'fast' is almost full: 18.6 of 20.0 GB of data used",
  );
  expect(() => requireRoom("fast", status(0, 95e6))).toThrow(
    "thin pool 'fast' is almost full: 95.0 of 100.0 MB of metadata used",
  );
  expect(() => requireNotFull("fast", status(20e9, 0))).toThrow("thin pool 'fast' is full");
  expect(() => requireNotFull("fast", { ...status(0, 95e6), mode: "ro" })).toThrow(
    /was made read-only by the kernel: 95.0 of 100.0 MB of metadata used/,
  );
  requireNotFull("fast", status(19.9e9, 95e6));
});
