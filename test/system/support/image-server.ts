import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { digestOf, sha256Digest } from "../../../src/oci/digest.ts";
import { hostPlatform } from "../../../src/oci/platform.ts";

/** One layer as it is served; what isn't given is computed, and so true. */
export interface ServedLayer {
  /** The uncompressed archive. */
  readonly tar: Buffer;
  /** The blob; default: `tar` by gzip. */
  readonly blob?: Buffer;
  readonly mediaType?: string;
  /** What the descriptor says. */
  readonly size?: number;
  readonly digest?: string;
  /** What the configuration says. */
  readonly diffId?: string;
}

export interface ServedImage {
  readonly layers: readonly ServedLayer[];
  readonly config?: Readonly<Record<string, unknown>>;
  /** As the configuration has it; none when absent. */
  readonly history?: readonly Readonly<Record<string, unknown>>[];
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const GZIP_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";
const PLAIN_LAYER = "application/vnd.oci.image.layer.v1.tar";
const CONFIG = "application/vnd.oci.image.config.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/**
 * A registry in this process whose images may tell lies, and which counts and can slow down
 * what is asked of it.
 */
export class ImageServer implements AsyncDisposable {
  /** How many GET requests a blob or manifest had, by what stands last in the path. */
  readonly gets = new Map<string, number>();
  /** Bytes a second of each blob; everything at once when absent. */
  bytesPerSecond: number | undefined;
  /** Breaks every connection once so much of a blob has gone over it. */
  cutAfter: number | undefined;
  /** Bytes of blobs that were sent, as far as this side knows. */
  blobBytes = 0;
  private readonly layers = new Set<string>();
  private readonly blobs = new Map<string, Buffer>();
  private readonly manifests = new Map<string, Buffer>();
  private readonly server = createServer((request, response) => this.answer(request, response));

  static async start(): Promise<ImageServer> {
    const server = new ImageServer();
    await new Promise<void>((resolve) => server.server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Adds an image. @returns its reference */
  add(name: string, image: ServedImage): string {
    const layers = image.layers.map((layer) => this.addLayer(layer));
    const { os, architecture } = hostPlatform();
    const config = Buffer.from(
      JSON.stringify({
        ...{ os, architecture, created: "2024-01-01T00:00:00Z" },
        config: { Cmd: ["/bin/sh"], Env: ["PATH=/bin"], ...image.config },
        rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
        history: image.history,
      }),
    );
    const manifest = Buffer.from(
      JSON.stringify({
        ...{ schemaVersion: 2, mediaType: MANIFEST },
        config: { mediaType: CONFIG, size: config.length, digest: this.addBlob(config) },
        layers: layers.map(({ descriptor }) => descriptor),
      }),
    );
    this.manifests.set(`${name}/latest`, manifest);
    this.manifests.set(`${name}/${sha256Digest(manifest)}`, manifest);
    return `${this.host}/${name}:latest`;
  }

  isLayer(digest: string): boolean {
    return this.layers.has(digest);
  }

  addBlob(bytes: Buffer): string {
    const digest = sha256Digest(bytes);
    this.blobs.set(digest, bytes);
    return digest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private addLayer(layer: ServedLayer) {
    const blob = layer.blob ?? gzipSync(layer.tar, { level: 1 });
    const digest = layer.digest ?? sha256Digest(blob);
    this.blobs.set(digest, blob);
    this.layers.add(digest);
    const compressed = blob[0] === 0x1f && blob[1] === 0x8b;
    const mediaType = layer.mediaType ?? (compressed ? GZIP_LAYER : PLAIN_LAYER);
    return {
      descriptor: { mediaType, size: layer.size ?? blob.length, digest },
      diffId: layer.diffId ?? digestOf(layer.tar, "sha256"),
    };
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = /^\/v2\/(?:(.+)\/(manifests|blobs)\/([^/]+))?$/.exec(request.url ?? "");
    const [, name = "", kind, reference = ""] = path ?? [];
    if (kind === undefined) return void response.writeHead(path === null ? 404 : 200).end("{}");
    const bytes =
      kind === "blobs" ? this.blobs.get(reference) : this.manifests.get(`${name}/${reference}`);
    if (bytes === undefined) return void response.writeHead(404).end('{"errors":[]}');
    if (request.method === "GET") this.gets.set(reference, (this.gets.get(reference) ?? 0) + 1);
    const answer: Answer = kind === "manifests" ? manifestAnswer(bytes) : this.blobAnswer(bytes);
    answer(request, response);
  }

  /** Sends a piece every hundredth of a second. */
  private drip(response: ServerResponse, bytes: Buffer, piece: number): void {
    let sent = 0;
    const timer = setInterval(() => {
      const next = bytes.subarray(sent, sent + piece);
      response.write(next);
      sent += next.length;
      this.blobBytes += next.length;
      if (sent < bytes.length) return;
      clearInterval(timer);
      response.end();
    }, 10);
    response.on("close", () => clearInterval(timer));
  }

  private blobAnswer(bytes: Buffer): Answer {
    return (request, response) => {
      const from = Number(/^bytes=([0-9]+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
      const rest = bytes.subarray(from);
      response.writeHead(request.headers.range === undefined ? 200 : 206, {
        "content-length": rest.length,
        "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
      });
      if (request.method === "HEAD") return void response.end();
      if (this.cutAfter !== undefined && rest.length > this.cutAfter) {
        this.blobBytes += this.cutAfter;
        response.write(rest.subarray(0, this.cutAfter), () => response.destroy());
      } else if (this.bytesPerSecond !== undefined) {
        this.drip(response, rest, this.bytesPerSecond / 100);
      } else {
        this.blobBytes += rest.length;
        response.end(rest);
      }
    };
  }
}

function manifestAnswer(bytes: Buffer): Answer {
  return (request, response) => {
    const headers = { "content-type": MANIFEST, "docker-content-digest": sha256Digest(bytes) };
    response.writeHead(200, { ...headers, "content-length": bytes.length });
    response.end(request.method === "HEAD" ? undefined : bytes);
  };
}
