import fc from "fast-check";
import { expect, it } from "vitest";
import { indexText, parseIndexText } from "../../../../src/image/tree/index-file.ts";
import type { IndexEntry } from "../../../../src/image/tree/layer-index.ts";
import { type ByteString, toByteString } from "../../../../src/layer/tar/byte-string.ts";
import { sha256Digest } from "../../../../src/oci/digest.ts";

const DIGEST = sha256Digest(Buffer.from("a layer"));
const name = fc.uint8Array({ maxLength: 20 }).map((bytes) => toByteString(Buffer.from(bytes)));
const entry: fc.Arbitrary<IndexEntry> = fc.record({
  path: name,
  type: fc.constantFrom("file", "dir", "symlink", "link", "char", "block", "fifo"),
  size: fc.constantFrom(0, 1, 2 ** 44),
  target: fc.oneof(fc.constant("" as ByteString), name),
});

it("an index is read as it was written, whatever bytes its names have", () => {
  const property = fc.property(fc.array(entry, { maxLength: 20 }), (index) => {
    expect(parseIndexText(DIGEST, indexText(DIGEST, index))).toEqual(index);
  });
  fc.assert(property);
});

it("a file that is cut short, changed or of another layer is no index", () => {
  const property = fc.property(fc.array(entry, { maxLength: 5 }), fc.nat(), (index, at) => {
    const text = indexText(DIGEST, index);
    expect(parseIndexText(DIGEST, text.slice(0, at % text.length))).toBeUndefined();
    expect(parseIndexText(sha256Digest(Buffer.from("b")), text)).toBeUndefined();
    expect(parseIndexText(DIGEST, `${text}\n`)).toBeUndefined();
    expect(parseIndexText(DIGEST, text.replace('"version":1', '"version":0'))).toBeUndefined();
  });
  fc.assert(property);
  for (const line of ["{}", '["x","a"]', '["f"]', '["f","a",1,2]', '["f","a","1"]', "null"]) {
    const head = JSON.stringify({ version: 1, digest: DIGEST, entries: 1 });
    expect(parseIndexText(DIGEST, `${head}\n${line}\n`)).toBeUndefined();
  }
});
