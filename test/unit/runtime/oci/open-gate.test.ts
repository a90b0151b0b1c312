import { execFileSync } from "node:child_process";
import { closeSync, constants, existsSync, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OciContainer } from "../../../../src/runtime/oci/oci-container.ts";

let directory: string;
let container: OciContainer;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tsimg-gate-"));
  container = new OciContainer(dirname(directory), basename(directory));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("who waits at the gate gets a byte, and the gate goes", () => {
  execFileSync("mkfifo", [container.gate]);
  const child = openSync(container.gate, constants.O_RDWR);
  container.openGate();
  const byte = Buffer.alloc(2);
  expect(readSync(child, byte)).toBe(1);
  expect(existsSync(container.gate)).toBe(false);
  closeSync(child);
});

test("where nobody waits any more, nobody is waited for", () => {
  const gone = "nobody waits for it";
  expect(() => container.openGate()).toThrow(gone);
  execFileSync("mkfifo", [container.gate]);
  expect(() => container.openGate()).toThrow(gone);
  expect(existsSync(container.gate)).toBe(false);
});
