import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sha256Digest } from "../../../src/oci/digest.ts";
import { OCI_MANIFEST } from "../../../src/oci/media-types.ts";
import { parseReference } from "../../../src/oci/reference.ts";
import { parseByteRange } from "../../../src/registry/byte-range.ts";
import { type RegistryServer, startRegistryServer } from "../../../src/registry/server.ts";
import { describe, impatientClient, MemorySink } from "./scripted-registry.ts";

const root = mkdtempSync(join(tmpdir(), "tsimg-server-"));
const BLOB = randomBytes(700_000);
const BLOB_DIGEST = sha256Digest(BLOB);
const MANIFEST = Buffer.from('{"schemaVersion":2}');
const MANIFEST_DIGEST = sha256Digest(MANIFEST);
const GONE = sha256Digest(Buffer.from("gone"));
const TAGS = ["v3", "v1", "v2", "latest"];
let server: RegistryServer;

beforeAll(async () => {
  const path = join(root, "blob");
  writeFileSync(path, BLOB);
  const known = (repository: string) => repository === "team/app";
  server = await startRegistryServer({
    host: "127.0.0.1",
    port: 0,
    source: {
      repositories: () => ["team/app", "alpine"],
      tags: (repository) => (known(repository) ? TAGS : undefined),
      manifest: (repository, reference) =>
        known(repository) && [...TAGS, MANIFEST_DIGEST].includes(reference)
          ? { bytes: MANIFEST, mediaType: OCI_MANIFEST, digest: MANIFEST_DIGEST }
          : undefined,
      blob: async (repository, digest) => {
        if (!known(repository)) return undefined;
        if (digest === GONE) return { path: join(root, "gone"), size: 1 };
        return digest === BLOB_DIGEST ? { path, size: BLOB.length } : undefined;
      },
    },
  });
});

afterAll(async () => {
  await server.close();
  rmSync(root, { recursive: true });
});

const get = (path: string, init?: RequestInit) => fetch(server.url + path, init);

test("the client reads from it whatever the specification promises", async () => {
  const { client } = impatientClient();
  using _ = client;
  const reference = parseReference(`127.0.0.1:${server.port}/team/app:v1`);
  const resolved = await client.resolve(reference);
  expect(resolved).toEqual(describe(MANIFEST, OCI_MANIFEST));
  expect((await client.fetchManifest(reference, resolved.digest)).bytes).toEqual(MANIFEST);
  const sink = new MemorySink(BLOB.subarray(0, 99_999));
  await client.downloadBlob(reference, describe(BLOB), sink);
  expect(sink.bytes.equals(BLOB)).toBe(true);
});

test.each([
  ["/v2/", 200, undefined],
  ["/v2/nothing/tags/list", 404, "NAME_UNKNOWN"],
  ["/v2/team/app/manifests/none", 404, "MANIFEST_UNKNOWN"],
  ["/v2/team/app/manifests/.bad", 404, "MANIFEST_UNKNOWN"],
  ["/v2/team/app/manifests/sha256:abc", 400, "DIGEST_INVALID"],
  [`/v2/team/app/blobs/${GONE}`, 404, "BLOB_UNKNOWN"],
  [`/v2/other/blobs/${BLOB_DIGEST}`, 404, "BLOB_UNKNOWN"],
  ["/v2/team/app/blobs/..%2f..%2fetc%2fpasswd", 404, "UNSUPPORTED"],
  ["/v2/Team/tags/list", 400, "NAME_INVALID"],
  ["/v2/%zz/tags/list", 404, "UNSUPPORTED"],
  ["/v1/", 404, "UNSUPPORTED"],
  ["/", 404, "UNSUPPORTED"],
])("%s is answered with %d", async (path, status, code) => {
  for (const method of ["GET", "HEAD"]) {
    const response = await get(path, { method });
    expect(response.status).toBe(status);
    expect(response.headers.get("docker-distribution-api-version")).toBe("registry/2.0");
    const body = await response.text();
    if (method === "HEAD") expect(body).toBe("");
    else if (code !== undefined) expect(JSON.parse(body).errors[0].code).toBe(code);
  }
});

test.each(["PUT", "POST", "PATCH", "DELETE"])("%s is refused", async (method) => {
  const response = await get("/v2/team/app/manifests/v1", { method });
  expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  expect(await response.json()).toMatchObject({ errors: [{ code: "UNSUPPORTED" }] });
});

test("a blob's HEAD tells its size and digest, and that ranges are served", async () => {
  const { headers } = await get(`/v2/team/app/blobs/${BLOB_DIGEST}`, { method: "HEAD" });
  expect(headers.get("content-length")).toBe(String(BLOB.length));
  expect(headers.get("docker-content-digest")).toBe(BLOB_DIGEST);
  expect(headers.get("accept-ranges")).toBe("bytes");
});

test.each([
  ["bytes=0-0", 206, 0, 1],
  ["bytes=5-", 206, 5, BLOB.length],
  ["bytes=10-99999999", 206, 10, BLOB.length],
  ["bytes=-3", 206, BLOB.length - 3, BLOB.length],
  ["bytes=5-2", 200, 0, BLOB.length],
  ["bytes=0-1,3-4", 200, 0, BLOB.length],
  ["lines=0-1", 200, 0, BLOB.length],
  ["bytes=-", 200, 0, BLOB.length],
])("the range %s is answered with %d", async (range, status, start, end) => {
  const response = await get(`/v2/team/app/blobs/${BLOB_DIGEST}`, { headers: { range } });
  expect(response.status).toBe(status);
  const stated = status === 206 ? `bytes ${start}-${end - 1}/${BLOB.length}` : null;
  expect(response.headers.get("content-range")).toBe(stated);
  const body = Buffer.from(await response.arrayBuffer());
  expect(body.equals(BLOB.subarray(start, end))).toBe(true);
});

test("a range behind the end is answered with 416 and the size", async () => {
  const headers = { range: `bytes=${BLOB.length}-` };
  const response = await get(`/v2/team/app/blobs/${BLOB_DIGEST}`, { headers });
  expect(response.status).toBe(416);
  expect(response.headers.get("content-range")).toBe(`bytes */${BLOB.length}`);
});

test("whatever a range asks for, it is a part of the file", () => {
  const header = fc.oneof(fc.string(), fc.stringMatching(/^bytes=[0-9]{0,16}-[0-9]{0,16}$/));
  fc.assert(
    fc.property(header, fc.nat(), (text, size) => {
      const range = parseByteRange(text, size);
      if (range === undefined || range === "unsatisfiable") return;
      expect(range.first).toBeGreaterThanOrEqual(0);
      expect(range.last).toBeGreaterThanOrEqual(range.first);
      expect(range.last).toBeLessThan(size);
    }),
  );
});

test("lists are sorted, and pages follow each other to the end", async () => {
  const pages: string[][] = [];
  let path: string | undefined = "/v2/team/app/tags/list?n=3";
  while (path !== undefined) {
    const response: Response = await get(path);
    pages.push(JSON.parse(await response.text()).tags);
    path = /^<([^>]+)>; rel="next"$/.exec(response.headers.get("link") ?? "")?.[1];
  }
  expect(pages).toEqual([["latest", "v1", "v2"], ["v3"]]);
  const catalog = await (await get("/v2/_catalog")).json();
  expect(catalog).toEqual({ repositories: ["alpine", "team/app"] });
  const last = await (await get("/v2/_catalog?n=5&last=alpine")).json();
  expect(last).toEqual({ repositories: ["team/app"] });
});

test("an address in use is said to be so", async () => {
  const source = { repositories: () => [], tags: () => [], manifest: none, blob: none };
  const second = startRegistryServer({ source, host: "127.0.0.1", port: server.port });
  await expect(second).rejects.toMatchObject({ code: "ERR_REGISTRY", message: /cannot listen/ });
});

function none(): undefined {
  return undefined;
}
