import { expect, test } from "vitest";
import { parseCopyArgument } from "../../../../src/runtime/copy/copy-argument.ts";

const parse = (text: string) => parseCopyArgument(text, "/work/here");

test.each([
  ["web:/etc", { kind: "container", container: "web", path: { path: "/etc" } }],
  ["web:etc/../a:b/", { container: "web", path: { path: "/a:b", isDirectory: true } }],
  ["web:/../..", { container: "web", path: { path: "/", isDirectory: false } }],
  ["web:.", { container: "web", path: { path: "/", isContents: true } }],
  ["./web:/etc", { kind: "host", path: { path: "/work/here/web:/etc" } }],
  ["/web:x", { kind: "host", path: { path: "/web:x" } }],
  ["../x/.", { kind: "host", path: { path: "/work/x", isContents: true, isDirectory: true } }],
  [".", { kind: "host", path: { path: "/work/here", isContents: true } }],
  ["..", { kind: "host", path: { path: "/work", isContents: false, isDirectory: false } }],
  ["x/", { kind: "host", path: { path: "/work/here/x", isContents: false, isDirectory: true } }],
  ["-", { kind: "stream" }],
])("%j is read as docker reads it", (text, expected) => {
  expect(parse(text)).toMatchObject(expected);
});

test.each(["", "web:", "a\0b", "web:/a\0"])("%j is refused", (text) => {
  expect(() => parse(text)).toThrow("a path to copy is empty");
});
