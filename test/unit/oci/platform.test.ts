import fc from "fast-check";
import { expect, test } from "vitest";
import type { Descriptor } from "../../../src/oci/descriptor.ts";
import { sha256Digest } from "../../../src/oci/digest.ts";
import { OCI_INDEX, OCI_MANIFEST } from "../../../src/oci/media-types.ts";
import {
  compatiblePlatforms,
  formatPlatform,
  hostPlatform,
  noPlatformError,
  type Platform,
  parsePlatform,
  selectPlatform,
} from "../../../src/oci/platform.ts";

test.each([
  ["linux/amd64", "linux/amd64"],
  ["linux/x86_64/v1", "linux/amd64"],
  ["Linux/AMD64/v3", "linux/amd64/v3"],
  ["linux/aarch64", "linux/arm64"],
  ["linux/arm64/v8", "linux/arm64"],
  ["linux/arm64/8", "linux/arm64"],
  ["linux/arm64/v9.0", "linux/arm64/v9"],
  ["linux/arm", "linux/arm/v7"],
  ["linux/arm/6", "linux/arm/v6"],
  ["armhf", "linux/arm/v7"],
  ["riscv64", "linux/riscv64"],
  ["linux", formatPlatform(hostPlatform())],
])("%s means %s", (text, normal) => {
  expect(formatPlatform(parsePlatform(text))).toBe(normal);
});

test.each(["", "/", "linux/", "linux/amd64/v1/x", "linux/am d64", `linux/${"a".repeat(41)}`])(
  "%j is no platform",
  (text) => {
    expect(() => parsePlatform(text)).toThrow(/is not a platform/);
  },
);

test.each([
  ["linux/amd64/v3", ["amd64/v3", "amd64/v2", "amd64", "386"]],
  ["linux/arm/v7", ["arm/v7", "arm/v6", "arm/v5"]],
  ["linux/arm/v5", ["arm/v5"]],
  ["linux/arm64", ["arm64", "arm/v8", "arm/v7", "arm/v6", "arm/v5"]],
  ["linux/riscv64", ["riscv64"]],
  ["linux/amd64/odd", ["amd64/odd", "386"]],
])("what runs on %s falls back as in containerd", (text, expected) => {
  const names = compatiblePlatforms(parsePlatform(text)).map(formatPlatform);
  expect(names).toEqual(expected.map((name) => `linux/${name}`));
});

test("arm64/v9 falls back over v8.5 to plain arm64", () => {
  const names = compatiblePlatforms(parsePlatform("linux/arm64/v9")).map(formatPlatform);
  expect(names.slice(0, 3)).toEqual(["linux/arm64/v9", "linux/arm64/v8.5", "linux/arm64/v8.4"]);
  expect(names).toContain("linux/arm64");
});

function entry(platform: string | undefined, change: Partial<Descriptor> = {}): Descriptor {
  const [os = "", architecture = "", variant] = platform?.split("/") ?? [];
  const stated: Platform = { os, architecture, ...(variant && { variant }) };
  return {
    mediaType: OCI_MANIFEST,
    digest: sha256Digest(Buffer.from(platform ?? "none")),
    size: 1,
    ...(platform !== undefined && { platform: stated }),
    ...change,
  };
}

test("the best match is taken, wherever it stands in the index", () => {
  const names = ["unknown/unknown", "linux/arm/v5", "linux/386", "linux/amd64", "linux/amd64/v2"];
  const shuffled = fc.shuffledSubarray([...names, "linux/arm/v6"], { minLength: 6 });
  fc.assert(
    fc.property(shuffled, (order) => {
      const entries = order.map((name) => entry(name));
      const chosen = (text: string) =>
        selectPlatform(entries, parsePlatform(text))?.platform ?? undefined;
      expect(chosen("linux/amd64/v3")).toMatchObject({ architecture: "amd64", variant: "v2" });
      expect(chosen("linux/amd64")).toEqual({ os: "linux", architecture: "amd64" });
      expect(chosen("linux/arm/v7")).toMatchObject({ architecture: "arm", variant: "v6" });
      expect(chosen("linux/s390x")).toBeUndefined();
    }),
  );
});

test("an entry without a platform serves when nothing better is there", () => {
  const silent = entry(undefined, { mediaType: OCI_INDEX });
  const wanted = parsePlatform("linux/amd64");
  expect(selectPlatform([silent], wanted)).toBe(silent);
  const exact = entry("linux/amd64");
  expect(selectPlatform([silent, exact], wanted)).toBe(exact);
});

test("attestations, artifacts and foreign types are never chosen", () => {
  const wanted = parsePlatform("linux/amd64");
  const entries = [
    entry("linux/amd64", { mediaType: "application/json" }),
    entry("linux/amd64", { artifactType: "application/x" }),
    entry("unknown/unknown"),
  ];
  expect(selectPlatform(entries, wanted)).toBeUndefined();
});

test("the error lists what the index has, each once and fit for a terminal", () => {
  const entries = [entry("linux/arm64/v8"), entry("linux/arm64"), entry("linux/\u001b[31m")];
  const error = noPlatformError(entries, parsePlatform("linux/s390x"), "alpine:3.20");
  expect(error.message).toBe('"alpine:3.20" has no image for linux/s390x');
  expect(error.hint).toBe("it has linux/arm64, linux/?[31m: choose one with --platform");
});
