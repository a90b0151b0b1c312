import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { assembleSeccomp } from "../../../../src/runtime/seccomp/assemble.ts";
import { defaultSeccomp } from "../../../../src/runtime/seccomp/default-profile.ts";
import { cachedFilter } from "../../../../src/runtime/seccomp/filter-cache.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tsimg-filters-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

const profile = defaultSeccomp("amd64", []);
const filter = assembleSeccomp(profile, "amd64");

test("a filter is kept, found again, and made anew when its file is damaged", async () => {
  expect(await cachedFilter(profile, "amd64", directory, "own")).toEqual(filter);
  const [name = ""] = readdirSync(directory);
  const file = join(directory, name);
  const kept = readFileSync(file);
  expect(await cachedFilter(profile, "amd64", directory, "own")).toEqual(filter);

  writeFileSync(file, kept.fill(0, 100, 120));
  expect(await cachedFilter(profile, "amd64", directory, "own")).toEqual(filter);
  writeFileSync(file, "");
  expect(await cachedFilter(profile, "amd64", directory, "own")).toEqual(filter);
  expect(readdirSync(directory)).toEqual([name]);
});

test("different profiles and engines have different files", async () => {
  await cachedFilter(profile, "amd64", directory, "own");
  await cachedFilter(defaultSeccomp("amd64", ["CAP_SYS_ADMIN"]), "amd64", directory, "own");
  expect(readdirSync(directory)).toHaveLength(2);
});

test("a directory that can't be made is no reason to fail", async () => {
  const file = join(directory, "in-the-way");
  writeFileSync(file, "");
  expect(await cachedFilter(profile, "amd64", join(file, "below"), "own")).toEqual(filter);
});

test("TSIMG_SECCOMP_ENGINE chooses, and is refused when it names no engine", async () => {
  vi.stubEnv("TSIMG_SECCOMP_ENGINE", "own");
  expect(await cachedFilter(profile, "amd64", directory)).toEqual(filter);
  vi.stubEnv("TSIMG_SECCOMP_ENGINE", "bpf");
  await expect(cachedFilter(profile, "amd64", directory)).rejects.toThrow(
    expect.objectContaining({ code: "ERR_USAGE", message: expect.stringContaining('"bpf"') }),
  );
});
