import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  chainIds,
  digestHex,
  parseDiffId,
  parseDigest,
  sha256Digest,
} from "../../../src/oci/digest.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

test("the digest of bytes is a digest, and its hexadecimal part the hash", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const digest = sha256Digest(Buffer.from(text));
      expect(parseDigest(digest, "it")).toBe(digest);
      expect(digestHex(digest)).toBe(sha256(text));
    }),
  );
});

test("sha512 digests are taken, with twice the digits", () => {
  const long = `sha512:${"a".repeat(128)}`;
  expect(parseDigest(long, "it")).toBe(long);
  expect(() => parseDigest(`sha512:${"a".repeat(64)}`, "it")).toThrow(/64 digits in place of 128/);
});

test.each([
  [undefined, /layer 3 is not a digest: it is missing/],
  [7, /not a string/],
  ["", /names no algorithm/],
  [`sha256:${"a".repeat(64)}\n`, /65 digits/],
  [`SHA256:${"a".repeat(64)}`, /unknown algorithm/],
  ["sha256:../../../etc/passwd", /19 digits/],
  ["x".repeat(100_000), /…/],
])("%s is refused with the place and the flaw", (text, flaw) => {
  expect(() => parseDigest(text, "layer 3")).toThrow(flaw);
});

test("chain IDs are hashed from the chain below and the layer's diff ID", () => {
  const ids = ["a", "b", "c"].map((text) => parseDiffId(`sha256:${sha256(text)}`, "it"));
  const [first = "", second = "", third = ""] = ids;
  const two = `sha256:${sha256(`${first} ${second}`)}`;
  expect(chainIds(ids)).toEqual([first, two, `sha256:${sha256(`${two} ${third}`)}`]);
  expect(chainIds([])).toEqual([]);
});
