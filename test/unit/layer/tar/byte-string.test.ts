import fc from "fast-check";
import { expect, test } from "vitest";
import {
  byteStringOf,
  displayName,
  fsPath,
  toBuffer,
  toByteString,
} from "../../../../src/layer/tar/byte-string.ts";

test("bytes survive, and reach the file system as they were", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (array) => {
      const bytes = Buffer.from(array);
      const name = toByteString(bytes);
      expect(toBuffer(name).equals(bytes)).toBe(true);
      expect(Buffer.from(fsPath(name) as string).equals(bytes)).toBe(true);
      expect(typeof fsPath(name) === "string").toBe(bytes.every((byte) => byte < 0x80));
    }),
  );
});

test("a message shows one printable line of at most 80 characters", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (array) => {
      const shown = displayName(toByteString(Buffer.from(array)));
      expect(shown).toMatch(/^[^\p{C}\p{Zl}\p{Zp}]{0,80}$/u);
    }),
  );
  expect(displayName(byteStringOf("usr/größe/中"))).toBe("usr/größe/中");
  expect(displayName(byteStringOf("a\u202eb\n'\\"))).toBe("a\\u{202e}b\\n\\'\\\\");
  expect(displayName(toByteString(Buffer.from("6ac3e9ff", "hex")))).toBe("j\\xc3\\xe9\\xff");
  expect(displayName(byteStringOf(`start${"x".repeat(200)}end`))).toMatch(/^startx+…x+end$/);
});
