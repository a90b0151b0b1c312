import { expect, it } from "vitest";
import { crc32c } from "../../../../src/layer/erofs/crc32c.ts";

it("computes the sums of RFC 3720, section B.4, not inverted at the end", () => {
  const inverted = (bytes: Buffer) => (~crc32c(bytes) >>> 0).toString(16);
  expect(inverted(Buffer.alloc(32))).toBe("8a9136aa");
  expect(inverted(Buffer.alloc(32, 0xff))).toBe("62a8ab43");
  expect(inverted(Buffer.from(Array.from({ length: 32 }, (_, index) => index)))).toBe("46dd794e");
});
