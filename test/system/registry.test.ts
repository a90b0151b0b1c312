import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { type AddressInfo, connect, createServer as createSocketServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { digestHex, sha256Digest } from "../../src/oci/digest.ts";
import { checkLayerCount, parseImageConfig } from "../../src/oci/image-config.ts";
import { parseManifest } from "../../src/oci/manifest.ts";
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import { parsePlatform, selectPlatform } from "../../src/oci/platform.ts";
import { parseReference } from "../../src/oci/reference.ts";
import { RegistryClient } from "../../src/registry/client.ts";
import type { BlobSink } from "../../src/registry/download.ts";
import { startRegistryServer } from "../../src/registry/server.ts";

const run = promisify(execFile);
const REGISTRY = "/usr/bin/docker-registry";
const missing = {
  registry: !existsSync(REGISTRY),
  skopeo: spawnSync("skopeo", ["--version"]).error !== undefined,
  openssl: spawnSync("openssl", ["version"]).error !== undefined,
};

const root = mkdtempSync(join(tmpdir(), "tsimg-registry-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A one-layer image for linux/amd64 below an index, as blobs by their digests. */
const layerTar = Buffer.concat([randomTar("hello", randomBytes(200_000)), Buffer.alloc(1024)]);
const layer = gzipSync(layerTar);
const config = json({
  architecture: "amd64",
  os: "linux",
  config: { Cmd: ["/hello"] },
  rootfs: { type: "layers", diff_ids: [sha256Digest(layerTar)] },
});
const manifest = json({
  schemaVersion: 2,
  mediaType: OCI_MANIFEST,
  config: describe(config, OCI_CONFIG),
  layers: [describe(layer, OCI_LAYER_GZIP)],
});
const platform = { os: "linux", architecture: "amd64" };
const index = json({
  schemaVersion: 2,
  mediaType: OCI_INDEX,
  manifests: [{ ...describe(manifest, OCI_MANIFEST), platform }],
});

test("an index, its image and its blobs are read from docker-registry", async ({ skip }) => {
  skip(missing.registry, "docker-registry is not installed");
  await using registry = await startDockerRegistry();
  await push(registry.url, "team/app", "v1");
  using client = new RegistryClient({ userAgent: "test" });
  await expectImage(client, `127.0.0.1:${registry.port}/team/app:v1`);
  const absent = parseReference(`127.0.0.1:${registry.port}/team/app:none`);
  await expect(client.resolve(absent)).rejects.toMatchObject({ code: "ERR_MANIFEST_UNKNOWN" });
});

test("the embedded endpoint gives the client the same", async () => {
  await using registry = await startEmbedded();
  using client = new RegistryClient({ userAgent: "test" });
  await expectImage(client, `127.0.0.1:${registry.port}/team/app:v1`);
});

test("skopeo reads the embedded endpoint", async ({ skip }) => {
  skip(missing.skopeo, "skopeo is not installed");
  await using registry = await startEmbedded();
  const image = `docker://127.0.0.1:${registry.port}/team/app:v1`;
  const choice = ["--override-os", "linux", "--override-arch", "amd64"];
  const inspected = await run("skopeo", [...choice, "inspect", "--tls-verify=false", image]);
  expect(JSON.parse(inspected.stdout)).toMatchObject({
    RepoTags: ["v1"],
    Layers: [sha256Digest(layer)],
  });
  const target = join(root, "copied");
  await run("skopeo", [...choice, "copy", "--src-tls-verify=false", image, `dir:${target}`]);
  const copied = readFileSync(join(target, digestHex(sha256Digest(layer))));
  expect(copied.equals(layer)).toBe(true);
});

test("a loopback registry that speaks TLS is found behind plain HTTP", async ({ skip }) => {
  skip(missing.openssl, "openssl is not installed");
  const { key, cert } = await certificate();
  const files = { key: readFileSync(key), cert: readFileSync(cert) };
  const server = createServer(files, (_, response) => {
    response.writeHead(200, {
      "content-type": OCI_INDEX,
      "content-length": index.length,
      "docker-content-digest": sha256Digest(index),
    });
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  using client = new RegistryClient({ userAgent: "test" });
  try {
    const resolved = await client.resolve(parseReference(`127.0.0.1:${port}/app`));
    expect(resolved).toEqual(describe(index, OCI_INDEX));
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test("so is docker-registry, which answers plain HTTP in words", async ({ skip }) => {
  skip(missing.openssl || missing.registry, "openssl or docker-registry is not installed");
  await using registry = await startDockerRegistry(await certificate());
  using client = new RegistryClient({ userAgent: "test" });
  const absent = parseReference(`127.0.0.1:${registry.port}/app`);
  await expect(client.resolve(absent)).rejects.toMatchObject({ code: "ERR_MANIFEST_UNKNOWN" });
});

/** A certificate that nobody signed, and its key. */
async function certificate(): Promise<{ readonly key: string; readonly cert: string }> {
  const [key, cert] = [join(root, "key.pem"), join(root, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-days", "1"];
  const files = ["-keyout", key, "-out", cert];
  await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...files, ...subject]);
  return { key, cert };
}

/** Pulls the image piece by piece and compares it with what was pushed. */
async function expectImage(client: RegistryClient, name: string): Promise<void> {
  const reference = parseReference(name);
  const resolved = await client.resolve(reference);
  expect(resolved).toEqual(describe(index, OCI_INDEX));
  const top = await client.fetchManifest(reference, resolved.digest);
  const parsed = parseManifest(top.bytes, top.descriptor.mediaType);
  if (parsed.kind !== "index") throw new Error("an index was pushed");
  const chosen = selectPlatform(parsed.manifests, parsePlatform("linux/amd64"));
  const fetched = await client.fetchManifest(reference, chosen?.digest ?? "");
  const image = parseManifest(fetched.bytes, fetched.descriptor.mediaType);
  if (image.kind !== "image") throw new Error("an image was pushed");
  checkLayerCount(image, parseImageConfig(await fetchBlob(client, name, image.config, 0)));
  for (const held of [0, 100_000]) {
    const [first] = image.layers;
    if (first === undefined) throw new Error("a layer was pushed");
    expect((await fetchBlob(client, name, first, held)).equals(layer)).toBe(true);
  }
}

async function fetchBlob(
  client: RegistryClient,
  name: string,
  descriptor: Descriptor,
  held: number,
): Promise<Buffer> {
  const chunks: Buffer[] = [layer.subarray(0, held)];
  const sink: BlobSink = {
    get offset() {
      return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    },
    write: (chunk) => void chunks.push(chunk),
    restart: () => void chunks.splice(0),
  };
  await client.downloadBlob(parseReference(name), descriptor, sink);
  return Buffer.concat(chunks);
}

async function startEmbedded() {
  const manifests = [
    { bytes: index, mediaType: OCI_INDEX, digest: sha256Digest(index), tag: "v1" },
    { bytes: manifest, mediaType: OCI_MANIFEST, digest: sha256Digest(manifest), tag: undefined },
  ];
  const directory = mkdtempSync(join(root, "blobs-"));
  for (const blob of [config, layer]) {
    writeFileSync(join(directory, digestHex(sha256Digest(blob))), blob);
  }
  const server = await startRegistryServer({
    host: "127.0.0.1",
    port: 0,
    source: {
      repositories: () => ["team/app"],
      tags: () => ["v1"],
      manifest: (_, reference) =>
        manifests.find(({ digest, tag }) => reference === digest || reference === tag),
      blob: (_, digest) => {
        const found = [config, layer].find((blob) => sha256Digest(blob) === digest);
        return found && { path: join(directory, digestHex(digest)), size: found.length };
      },
    },
  });
  return { port: server.port, [Symbol.asyncDispose]: () => server.close() };
}

/** @param tls files to speak TLS with; plain HTTP when left out */
async function startDockerRegistry(tls?: { readonly key: string; readonly cert: string }) {
  const port = await freePort();
  const storage = mkdtempSync(join(root, "storage-"));
  const path = join(storage, "config.yml");
  mkdirSync(join(storage, "data"));
  const lines = [
    "version: 0.1",
    "log: {level: error, accesslog: {disabled: true}}",
    `storage: {filesystem: {rootdirectory: ${join(storage, "data")}}}`,
    tls === undefined
      ? `http: {addr: "127.0.0.1:${port}"}`
      : `http: {addr: "127.0.0.1:${port}", tls: {certificate: ${tls.cert}, key: ${tls.key}}}`,
  ];
  writeFileSync(path, lines.join("\n"));
  const child = spawn(REGISTRY, ["serve", path], { stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  await answering(port, child);
  return {
    port,
    url,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null) return;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
    },
  };
}

async function answering(port: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const up = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true));
      socket.once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`docker-registry ended with status ${child.exitCode}`);
}

async function push(url: string, repository: string, tag: string): Promise<void> {
  for (const blob of [config, layer]) {
    const begun = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: "POST" });
    const location = new URL(begun.headers.get("location") ?? "", url);
    location.searchParams.set("digest", sha256Digest(blob));
    await put(location, blob, "application/octet-stream");
  }
  const path = (name: string) => new URL(`/v2/${repository}/manifests/${name}`, url);
  await put(path(sha256Digest(manifest)), manifest, OCI_MANIFEST);
  await put(path(tag), index, OCI_INDEX);
}

async function put(url: URL, bytes: Buffer, type: string): Promise<void> {
  const headers = { "content-type": type };
  const response = await fetch(url, { method: "PUT", headers, body: new Uint8Array(bytes) });
  expect(response.status, await response.text()).toBe(201);
}

async function freePort(): Promise<number> {
  const server = createSocketServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function describe(bytes: Uint8Array, mediaType: string): Descriptor {
  return { mediaType, digest: sha256Digest(bytes), size: bytes.length };
}

/** One file in a ustar archive, without the blocks that end it. */
function randomTar(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000755\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        0", 148);
  header.write("ustar\u000000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding]);
}
