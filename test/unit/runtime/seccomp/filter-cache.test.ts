import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { assembleSeccomp } from "../../../../src/runtime/seccomp/assemble.ts";
import { defaultSeccomp } from "../../../../src/runtime/seccomp/default-profile.ts";
import { cachedFilter } from "../../../../src/runtime/seccomp/filter-cache.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tsimg-filters-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const profile = defaultSeccomp("amd64", []);
const filter = assembleSeccomp(profile, "amd64");

test("a filter is kept, found again, and made anew when its file is damaged", async () => {
  expect(await cachedFilter(profile, "amd64", directory)).toEqual(filter);
  const [name = ""] = readdirSync(directory);
  const file = join(directory, name);
  const kept = readFileSync(file);
  expect(await cachedFilter(profile, "amd64", directory)).toEqual(filter);

  writeFileSync(file, kept.fill(0, 100, 120));
  expect(await cachedFilter(profile, "amd64", directory)).toEqual(filter);
  writeFileSync(file, "");
  expect(await cachedFilter(profile, "amd64", directory)).toEqual(filter);
  expect(readdirSync(directory)).toEqual([name]);
});

test("different profiles have different files", async () => {
  await cachedFilter(profile, "amd64", directory);
  await cachedFilter(defaultSeccomp("amd64", ["CAP_SYS_ADMIN"]), "amd64", directory);
  expect(readdirSync(directory)).toHaveLength(2);
});

test("a directory that can't be made is no reason to fail", async () => {
  const file = join(directory, "in-the-way");
  writeFileSync(file, "");
  expect(await cachedFilter(profile, "amd64", join(file, "below"))).toEqual(filter);
});
