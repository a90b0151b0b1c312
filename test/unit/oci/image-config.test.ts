import { expect, test } from "vitest";
import { parseDescriptor } from "../../../src/oci/descriptor.ts";
import { checkLayerCount, parseImageConfig } from "../../../src/oci/image-config.ts";
import type { ImageManifest } from "../../../src/oci/manifest.ts";
import { OCI_MANIFEST } from "../../../src/oci/media-types.ts";

const D = `sha256:${"0123456789abcdef".repeat(4)}`;
const EMPTY = {
  User: "",
  Env: [],
  Entrypoint: [],
  Cmd: [],
  WorkingDir: "",
  ExposedPorts: [],
  Volumes: [],
  Labels: {},
  Shell: [],
};

function parse(document: unknown) {
  return parseImageConfig(Buffer.from(JSON.stringify(document)));
}

test("a config as docker writes it is read whole", () => {
  const parsed = parse({
    architecture: "arm64",
    os: "linux",
    variant: "v8",
    created: "2024-01-01T00:00:00Z",
    author: "someone",
    config: {
      User: "1000:1000",
      Env: ["PATH=/bin", "A="],
      Entrypoint: ["/entry"],
      Cmd: ["serve"],
      WorkingDir: "/srv",
      ExposedPorts: { "80/tcp": {} },
      Volumes: { "/data": {} },
      Labels: { a: "b" },
      StopSignal: "SIGINT",
      Shell: ["/bin/sh", "-c"],
      Healthcheck: { Test: ["CMD", "true"], Interval: 30_000_000_000, Retries: 3 },
    },
    rootfs: { type: "layers", diff_ids: [D] },
    history: [{ created_by: "RUN x", empty_layer: true }, { comment: "c" }],
  });
  expect(parsed).toEqual({
    architecture: "arm64",
    os: "linux",
    variant: "v8",
    created: "2024-01-01T00:00:00Z",
    author: "someone",
    config: {
      User: "1000:1000",
      Env: ["PATH=/bin", "A="],
      Entrypoint: ["/entry"],
      Cmd: ["serve"],
      WorkingDir: "/srv",
      ExposedPorts: ["80/tcp"],
      Volumes: ["/data"],
      Labels: { a: "b" },
      StopSignal: "SIGINT",
      Shell: ["/bin/sh", "-c"],
      Healthcheck: {
        Test: ["CMD", "true"],
        Interval: 30_000_000_000,
        Timeout: 0,
        StartPeriod: 0,
        StartInterval: 0,
        Retries: 3,
      },
    },
    rootfs: { diffIds: [D] },
    history: [
      { createdBy: "RUN x", emptyLayer: true },
      { comment: "c", emptyLayer: false },
    ],
  });
});

test("members that are null, as real images have them, count as empty", () => {
  const nothing = Object.fromEntries(Object.keys(EMPTY).map((key) => [key, null]));
  const expected = {
    architecture: "amd64",
    os: "linux",
    config: EMPTY,
    rootfs: { diffIds: [] },
    history: [],
  };
  const rootfs = { type: "layers", diff_ids: null };
  expect(parse({ architecture: "amd64", rootfs, config: nothing, history: null })).toEqual(
    expected,
  );
  expect(parse({ architecture: "amd64", rootfs, config: null })).toEqual(expected);
  expect(parse({ architecture: "amd64", rootfs: {} })).toEqual(expected);
});

test("a command that is one string is a list of one", () => {
  const { config } = parse({ rootfs: {}, config: { Entrypoint: "/x y", Cmd: ["z"] } });
  expect([config.Entrypoint, config.Cmd]).toEqual([["/x y"], ["z"]]);
});

test.each([
  ["no root file system", {}, /rootfs is missing/],
  ["an unknown kind of root", { rootfs: { type: "x" } }, /rootfs\.type is not "layers"/],
  ["a bad diff ID", { rootfs: { diff_ids: ["x"] } }, /rootfs\.diff_ids\[0\] is not a digest/],
  [
    "an environment that is text",
    { rootfs: {}, config: { Env: "A=b" } },
    /config\.Env is a string/,
  ],
  ["a NUL in it", { rootfs: {}, config: { Env: ["A=\0b"] } }, /config\.Env\[0\] holds a NUL/],
  ["a number for a user", { rootfs: {}, config: { User: 0 } }, /config\.User is a number/],
  ["labels in a list", { rootfs: {}, config: { Labels: ["a"] } }, /config\.Labels is a list/],
])("%s is refused by name", (_, document, flaw) => {
  expect(() => parse(document)).toThrow(flaw);
});

test("an image needs one diff ID for each layer", () => {
  const place = { what: "it", code: "ERR_MANIFEST_INVALID" } as const;
  const part = parseDescriptor({ mediaType: "x", digest: D, size: 1 }, place);
  const manifest: ImageManifest = {
    kind: "image",
    mediaType: OCI_MANIFEST,
    config: part,
    layers: [part, part],
  };
  const withIds = (count: number) => parse({ rootfs: { diff_ids: Array(count).fill(D) } });
  checkLayerCount(manifest, withIds(2));
  expect(() => checkLayerCount(manifest, withIds(1))).toThrow(/2 layers but .* 1 diff IDs/);
});
