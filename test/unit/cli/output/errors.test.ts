import { expect, test } from "vitest";
import { reportError } from "../../../../src/cli/output/errors.ts";
import { ErrnoError } from "../../../../src/sys/errno.ts";
import { TsimgError } from "../../../../src/sys/error.ts";

function report(error: unknown, debug = false): { status: number; text: string } {
  let text = "";
  const stream = { write: (part: string) => (text += part) };
  return { status: reportError(error, stream, { debug }), text };
}

test("an error of ours is its message and its hint, and ends with its status", () => {
  const error = new TsimgError("ERR_COMMAND_NOT_FOUND", "no 'x' in the image", {
    hint: "see PATH",
  });
  expect(report(error)).toEqual({
    status: 127,
    text: "tsimg: no 'x' in the image\nhint: see PATH\n",
  });
});

test("a failed system call is named with its text", () => {
  const error = new ErrnoError("mount", 22, { path: "overlay", dest: "/x" });
  const text = "tsimg: mount 'overlay' on '/x': EINVAL (invalid argument)\n";
  expect(report(error)).toEqual({ status: 125, text });
  expect(report(new ErrnoError("mount", 9999)).text).toMatch(/^tsimg: mount: E9999\b.*\n$/);
});

test("a failure of the system behind an error of ours is said, unless it is already", () => {
  const cause = new ErrnoError("open", 13, { path: "/db" });
  expect(report(new TsimgError("ERR_STORE", "can't open the store", { cause })).text).toBe(
    "tsimg: can't open the store: open '/db': EACCES (permission denied)\n",
  );
  expect(report(new TsimgError("ERR_STORE", "can't open '/db': EACCES", { cause })).text).toBe(
    "tsimg: can't open '/db': EACCES\n",
  );
});

test("a parser that quotes a file of secrets isn't quoted", () => {
  const cause = new SyntaxError(`Unexpected token 's', "secret" is not valid JSON`);
  const error = new TsimgError("ERR_REGISTRY", "can't read the logins", { cause });
  expect(report(error).text).toBe("tsimg: can't read the logins\n");
});

test("the causes of an unforeseen error are on one line", () => {
  const error = new Error("outer\nline", { cause: new Error("inner", { cause: "root" }) });
  expect(report(error)).toEqual({
    status: 125,
    text: "tsimg: outer\\nline: inner: root\nhint: this is a fault of tsimg; --debug shows where\n",
  });
  const both = new AggregateError([new Error("one"), new Error("two")]);
  expect(report(both).text).toMatch(/^tsimg: one; two\n/);
});

test("causes that go in a circle end", () => {
  const error = new Error("a");
  error.cause = new Error("b", { cause: error });
  expect(report(error, true).text.length).toBeLessThan(20_000);
});

test.each([undefined, null, 7, {}, "text", Object.create(null)])(
  "%j thrown is reported",
  (thrown) => {
    expect(report(thrown)).toMatchObject({
      status: 125,
      text: expect.stringMatching(/^tsimg: \S/),
    });
  },
);

test("an interrupt ends with 130 and says nothing", () => {
  expect(report(new DOMException("interrupted", "AbortError"))).toEqual({ status: 130, text: "" });
  expect(report(AbortSignal.abort().reason)).toEqual({ status: 130, text: "" });
});

test("clean-up that fails doesn't hide what failed first", () => {
  const first = new TsimgError("ERR_NOT_EXECUTABLE", "first");
  expect(report(new SuppressedError(new Error("clean-up"), first))).toEqual({
    status: 126,
    text: "tsimg: first\n",
  });
});

test("control characters of a registry's words don't reach the terminal", () => {
  const error = new TsimgError("ERR_REGISTRY", "says \x1b]0;x\x07", { hint: "\x9b2J" });
  expect(report(error).text).toBe("tsimg: says \\x1b]0;x\\x07\nhint: \\x9b2J\n");
});

test("the stack and the code are for debugging only", () => {
  const error = new TsimgError("ERR_STATE", "odd", { cause: new Error("because\x1b[2J") });
  expect(report(error).text).toBe("tsimg: odd\n");
  const { text } = report(error, true);
  expect(text).toMatch(/^tsimg: odd\ncode: ERR_STATE\nTsimgError: odd\n {4}at /);
  expect(text).toMatch(/caused by: Error: because\\x1b\[2J\n {4}at /);
});
