import { expect, test } from "vitest";
import { chooseLabels, parseAnnotations } from "../../../../src/runtime/container/labels.ts";

test("flags stand over files, files over the image", () => {
  const image = { image: "1", file: "1", flag: "1" };
  const files = [
    { path: "a", text: "file=2\nflag=2\nfirst=a\n" },
    { path: "b", text: "first=b\n" },
  ];
  expect(chooseLabels(image, files, ["flag=3"])).toEqual({
    ...{ image: "1", file: "2", flag: "3", first: "b" },
  });
});

test("comments and empty lines are passed over, a value may have everything", () => {
  const text = "# note\r\n\r\n  spaced=a b \r\nurl=http://x/?a=b\r\nbare\r\n";
  expect(chooseLabels({}, [{ path: "file", text }], ["empty=", "eq=a=b"])).toEqual({
    ...{ spaced: "a b", url: "http://x/?a=b", bare: "", empty: "", eq: "a=b" },
  });
});

test.each([
  [[{ path: "labels.txt", text: "ok=1\n=x\n" }], [], "labels.txt"],
  [[], ["=x"], "--label"],
  [[], [""], "--label"],
])("a label without a name is refused with its place", (files, flags, place) => {
  expect(() => chooseLabels({}, files, flags)).toThrow(
    expect.objectContaining({ code: "ERR_USAGE", message: expect.stringContaining(place) }),
  );
});

test("annotations have names, and values with everything", () => {
  expect(parseAnnotations(["a=1", "b=x=y", "bare", "a=2"])).toEqual({ a: "2", b: "x=y", bare: "" });
  expect(() => parseAnnotations(["=x"])).toThrow("an annotation without a name in --annotation");
});
