import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { Unpacker } from "../../../src/layer/unpacker.ts";

const directory = mkdtempSync(join(tmpdir(), "tsimg-test-unpacker-"));
afterAll(() => rmSync(directory, { recursive: true }));

const JOB = { blob: "", directory: "" } as unknown as Parameters<Unpacker["unpack"]>[0];

/** A program that does this when it gets its job, and never ends by itself. */
function program(name: string, says: string): string {
  const file = join(directory, `${name}.cjs`);
  writeFileSync(file, `process.stdin.once("data", () => { ${says} }); setInterval(() => {}, 1e6);`);
  return file;
}

const print = (message: object) =>
  `process.stdout.write(${JSON.stringify(`${JSON.stringify(message)}\n`)});`;

it("a process that has told its result need not end by itself", async () => {
  const result = { diffId: "sha256:0", bytes: 7 };
  using unpacker = new Unpacker(program("done", print({ result })));
  expect(await unpacker.unpack(JOB, () => {})).toEqual(result);
});

it("nor one that has told why it failed", async () => {
  const failure = { code: "ERR_LAYER_CORRUPT", message: "it is broken" };
  using unpacker = new Unpacker(program("failed", print({ failure })));
  await expect(unpacker.unpack(JOB, () => {})).rejects.toThrow("it is broken");
});

it("one that dies without a word is an error", async () => {
  using unpacker = new Unpacker(program("died", "process.exit(3);"));
  await expect(unpacker.unpack(JOB, () => {})).rejects.toThrow("the unpack process died (3)");
});
