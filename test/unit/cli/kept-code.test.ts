import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadKept } from "../../../src/cli/kept-code.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tsimg-kept-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const file = () => join(directory, "program.cjs");
const kept = () => join(directory, "cache", "program.code");

function write(source: string, seconds = 1_000_000): void {
  writeFileSync(file(), source);
  utimesSync(file(), seconds, seconds);
}

interface Exports {
  readonly answer: () => number;
}

function answer(lot = 1): number {
  const { exports, keep } = loadKept(file(), kept(), lot);
  const value = (exports as Exports).answer();
  keep();
  return value;
}

test("the code of functions that ran is kept, in the first three runs and some later", () => {
  const body = Array.from({ length: 200 }, (_, index) => `n += ${index} * n;`).join("");
  write(`exports.idle = () => 0; exports.answer = () => { let n = 1; ${body} return 7; };`);
  loadKept(file(), kept(), 1).keep();
  const before = statSync(kept()).size;
  expect(answer()).toBe(7);
  expect(statSync(kept()).size).toBeGreaterThan(before + 1000);
  expect(answer()).toBe(7);
  const { mtimeMs, ino } = statSync(kept());
  expect(answer()).toBe(7);
  expect(statSync(kept())).toMatchObject({ mtimeMs, ino });
  expect(answer(32)).toBe(7);
  expect(statSync(kept()).ino).not.toBe(ino);
});

test("another build's code is not used, though the file is as long", () => {
  write("exports.answer = () => 1;");
  expect(answer()).toBe(1);
  write("exports.answer = () => 2;", 2_000_000);
  expect(answer()).toBe(2);
  expect(readFileSync(kept(), "latin1").slice(0, 128)).toMatch(/ 1 +$/);
});

test.each([
  ["nothing", ""],
  ["a directory's worth of nonsense", "x".repeat(5000)],
])("%s in the place of kept code does no harm", (_what, content) => {
  write("exports.answer = () => 3;");
  answer();
  writeFileSync(kept(), content);
  expect(answer()).toBe(3);
  expect(answer()).toBe(3);
});

test("code that V8 refuses is made anew", () => {
  write("exports.answer = () => 4;");
  answer();
  const header = readFileSync(kept()).subarray(0, 128);
  writeFileSync(kept(), Buffer.concat([header, Buffer.alloc(500)]));
  expect(answer()).toBe(4);
  expect(statSync(kept()).size).not.toBe(628);
});

test("files that it loads find what it exports, and errors name its lines", () => {
  writeFileSync(join(directory, "other.cjs"), 'exports.of = () => require("./program.cjs").own;');
  write('exports.own = 5;\nexports.answer = () => require("./other.cjs").of();');
  expect(answer()).toBe(5);
  const throwing = 'exports.answer = () => { throw new Error("here"); };';
  write(throwing, 3_000_000);
  const stack = stackOf(() => (loadKept(file(), kept()).exports as Exports).answer());
  expect(stack).toContain(`${file()}:1:${throwing.indexOf("new") + 1}`);
});

function stackOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return (error as Error).stack;
  }
}

test("nobody else may write where code is kept, also without a umask", () => {
  write("exports.answer = () => 5;");
  const before = process.umask(0);
  try {
    expect(answer()).toBe(5);
  } finally {
    process.umask(before);
  }
  for (const path of [kept(), join(directory, "cache")])
    expect(statSync(path).mode & 0o022).toBe(0);
});
