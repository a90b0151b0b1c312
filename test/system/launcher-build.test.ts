import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { compileLauncher } from "../../build/launcher.ts";

const directory = mkdtempSync(join(tmpdir(), "tsimg-build-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

test("the launcher is compiled once, and again when something changed", () => {
  const launcher = compileLauncher(directory);
  const first = statSync(launcher).mtimeMs;
  expect(statSync(compileLauncher(directory)).mtimeMs).toBe(first);
  writeFileSync(`${launcher}.hash`, "other");
  expect(statSync(compileLauncher(directory)).mtimeMs).toBeGreaterThan(first);
});

test("without a compiler the launcher of before stays, and the message has the cure", () => {
  const launcher = compileLauncher(directory);
  const before = readFileSync(launcher);
  vi.stubEnv("CC", "no-such-compiler");
  expect(() => compileLauncher(directory)).toThrowError(
    expect.objectContaining({
      code: "ERR_BUILD",
      hint: expect.stringContaining("apt-get install gcc libc6-dev"),
    }),
  );
  expect(readFileSync(launcher).equals(before)).toBe(true);
});
