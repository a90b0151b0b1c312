import fc from "fast-check";
import { expect, test } from "vitest";
import { parseImageConfig } from "../../../src/oci/image-config.ts";
import { layerCompression, parseManifest } from "../../../src/oci/manifest.ts";
import {
  DOCKER_CONFIG,
  DOCKER_INDEX,
  DOCKER_LAYER_GZIP,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER_GZIP,
  OCI_MANIFEST,
} from "../../../src/oci/media-types.ts";
import { TsimgError } from "../../../src/sys/error.ts";

const D = `sha256:${"0123456789abcdef".repeat(4)}`;

function ociImage(change: object = {}): object {
  return {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: D, size: 10 },
    layers: [{ mediaType: OCI_LAYER_GZIP, digest: D, size: 20 }],
    ...change,
  };
}

function index(change: object = {}): object {
  const platform = { os: "linux", architecture: "amd64" };
  return {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: [{ mediaType: OCI_MANIFEST, digest: D, size: 10, platform }],
    ...change,
  };
}

const layer = (change: object) => ({
  layers: [{ mediaType: OCI_LAYER_GZIP, digest: D, size: 20, ...change }],
});

function parse(document: unknown, contentType?: string) {
  return parseManifest(Buffer.from(JSON.stringify(document)), contentType);
}

test("OCI and docker documents are read under their own and under generic types", () => {
  const docker = ociImage({
    mediaType: DOCKER_MANIFEST,
    config: { mediaType: DOCKER_CONFIG, digest: D, size: 10 },
    layers: [{ mediaType: DOCKER_LAYER_GZIP, digest: D, size: 20 }],
  });
  const list = index({ mediaType: DOCKER_INDEX });
  const cases = [
    [ociImage(), OCI_MANIFEST, "image"],
    [index(), OCI_INDEX, "index"],
    [docker, DOCKER_MANIFEST, "image"],
    [list, DOCKER_INDEX, "index"],
  ] as const;
  for (const [document, type, kind] of cases) {
    for (const sent of [type, `${type}; charset=utf-8`, "application/json", undefined]) {
      expect(parse(document, sent)).toMatchObject({ kind, mediaType: type });
    }
  }
});

test("a document without a media type is known by its shape", () => {
  expect(parse(ociImage({ mediaType: undefined })).mediaType).toBe(OCI_MANIFEST);
  expect(parse(index({ mediaType: undefined })).mediaType).toBe(OCI_INDEX);
});

test("an image of no layers, and one with foreign layers, are images", () => {
  expect(parse(ociImage({ layers: [] }))).toMatchObject({ layers: [] });
  const foreign = {
    mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    urls: ["https://layers.example/x"],
  };
  expect(parse(ociImage(layer(foreign)))).toMatchObject(layer(foreign));
});

const REFUSED: Readonly<Record<string, readonly [object, string | undefined, string, RegExp]>> = {
  "schema 1 by version": [{ schemaVersion: 1, fsLayers: [] }, undefined, "UNSUPPORTED", /schema 1/],
  "schema 1 by type": [
    ociImage(),
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "UNSUPPORTED",
    /schema 1/,
  ],
  "schema 1 in disguise": [ociImage({ fsLayers: [] }), OCI_MANIFEST, "UNSUPPORTED", /schema 1/],
  "an image that is an index too": [
    { ...index(), ...ociImage() },
    OCI_INDEX,
    "INVALID",
    /both an image and an index/,
  ],
  "an index with a config": [index({ config: {} }), OCI_INDEX, "INVALID", /both an image/],
  "a type that contradicts the header": [ociImage(), OCI_INDEX, "INVALID", /calls itself/],
  "docker's type for an OCI document": [ociImage(), DOCKER_MANIFEST, "INVALID", /calls itself/],
  "an unknown type": [{}, "text/html", "UNSUPPORTED", /type "text\/html"/],
  "a document that is nothing": [{}, undefined, "UNSUPPORTED", /neither/],
  "an artifact by type": [
    ociImage({ artifactType: "application/vnd.example.sbom" }),
    OCI_MANIFEST,
    "UNSUPPORTED",
    /artifact of type "application\/vnd\.example\.sbom"/,
  ],
  "an artifact by its config": [
    ociImage({
      config: { mediaType: "application/vnd.cncf.helm.config.v1+json", digest: D, size: 2 },
    }),
    OCI_MANIFEST,
    "UNSUPPORTED",
    /artifact of type "application\/vnd\.cncf\.helm/,
  ],
  "an encrypted layer": [
    ociImage(layer({ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip+encrypted" })),
    undefined,
    "UNSUPPORTED",
    /encrypted" are not supported/,
  ],
  "a negative size": [
    ociImage(layer({ size: -1 })),
    undefined,
    "INVALID",
    /layers\[0\]\.size is -1/,
  ],
  "a huge size": [ociImage(layer({ size: 2 ** 60 })), undefined, "INVALID", /layers\[0\]\.size/],
  "a size in quotes": [ociImage(layer({ size: "20" })), undefined, "INVALID", /is a string/],
  "a fractional size": [ociImage(layer({ size: 1.5 })), undefined, "INVALID", /whole number/],
  "a digest that is a path": [
    ociImage(layer({ digest: "sha256:../../x" })),
    undefined,
    "INVALID",
    /layers\[0\]\.digest is not a digest/,
  ],
  "too many layers": [
    ociImage({ layers: Array.from({ length: 1001 }, () => layer({}).layers[0]) }),
    undefined,
    "INVALID",
    /1001 entries where 1000/,
  ],
  "layers that are no list": [ociImage({ layers: {} }), undefined, "INVALID", /in place of a list/],
  "schema version 3": [ociImage({ schemaVersion: 3 }), undefined, "INVALID", /not 2/],
  "no config": [ociImage({ config: undefined }), OCI_MANIFEST, "INVALID", /config is missing/],
};

test.each(Object.entries(REFUSED))("%s is refused", (_, [document, type, code, flaw]) => {
  const error = failureOf(() => parse(document, type));
  expect(error.code).toBe(`ERR_MANIFEST_${code}`);
  expect(error.message).toMatch(flaw);
  expect(error.hint).toBeTruthy();
});

test("bytes that are no JSON object, or too many, are refused", () => {
  for (const text of ["", "[]", "null", "\ufeff{}", "{", '"x"']) {
    expect(() => parseManifest(Buffer.from(text), OCI_MANIFEST)).toThrow(TsimgError);
  }
  const huge = Buffer.alloc(4 * 1024 * 1024 + 1, 0x20);
  expect(() => parseManifest(huge, OCI_MANIFEST)).toThrow(/larger than/);
});

test("whatever stands in a document, it is read or refused with a TsimgError", () => {
  const keys = ["schemaVersion", "mediaType", "config", "layers", "manifests", "digest", "size"];
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(null, 2, -1, "", D, OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST, OCI_INDEX),
      fc.array(tie("any"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keys, "__proto__", "urls", "platform"), tie("any")),
    ),
  })).any;
  const type = fc.constantFrom(undefined, OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST);
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...keys), value), type, (document, sent) => {
      for (const read of [() => parse(document, sent), () => config(document)]) {
        try {
          read();
        } catch (error) {
          if (!(error instanceof TsimgError)) throw error;
        }
      }
    }),
    { numRuns: 500 },
  );
});

test("the compression of a layer follows from its type", () => {
  expect(layerCompression("application/vnd.oci.image.layer.v1.tar")).toBe("none");
  expect(layerCompression("application/vnd.docker.image.rootfs.diff.tar.zstd")).toBe("zstd");
  const foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
  expect(layerCompression(foreign)).toBe("gzip");
  expect(() => layerCompression("toString")).toThrow(/not supported/);
});

function config(document: unknown) {
  return parseImageConfig(Buffer.from(JSON.stringify(document)));
}

function failureOf(act: () => unknown): TsimgError {
  try {
    act();
  } catch (error) {
    if (error instanceof TsimgError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
