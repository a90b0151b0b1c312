import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import type { Digest } from "../oci/digest.ts";
import { TsimgError } from "../sys/error.ts";
import { parseByteRange } from "./byte-range.ts";
import { pageOf, parseRegistryPath, type RegistryError } from "./server-request.ts";
import type { RegistrySource } from "./server-source.ts";

export interface RegistryServerOptions {
  readonly source: RegistrySource;
  /** Address to listen on, as in `127.0.0.1`. Nobody is asked who they are. */
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
}

export interface RegistryServer {
  readonly port: number;
  /** As in `http://127.0.0.1:5000`. */
  readonly url: string;
  /** Stops listening and breaks what is being sent. */
  close(): Promise<void>;
}

/** Read from a blob at once, in bytes: large enough that calls don't matter. */
const READ_SIZE = 256 * 1024;

/**
 * A registry that can be read, not written: OCI distribution-spec 1.1, end-1 to end-3 and
 * end-8, and docker's catalogue.
 *
 * @throws TsimgError ERR_REGISTRY when the address can't be listened on
 */
export async function startRegistryServer(options: RegistryServerOptions): Promise<RegistryServer> {
  const { source, host, port } = options;
  const server = createServer((request, response) => {
    serve(source, request, response).catch(() => {
      // The client went away, or the source failed: a broken answer says so in either case.
      if (response.headersSent) response.destroy();
      else sendError(response, { status: 500, code: "UNKNOWN", message: "internal error" });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      const message = `cannot listen on "${host}" port ${port}`;
      const hint = "choose another address or port, or stop what listens there";
      reject(new TsimgError("ERR_REGISTRY", message, { cause, hint }));
    });
    server.listen(port, host, resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    port: bound,
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(
  source: RegistrySource,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader("docker-distribution-api-version", "registry/2.0");
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    // What the client still sends would otherwise be taken for its next request.
    response.setHeader("connection", "close");
    const message = "this registry can only be read";
    sendError(response, { status: 405, code: "UNSUPPORTED", message });
    return;
  }
  const [path = "", query = ""] = (request.url ?? "").split("?", 2);
  const parameters = new URLSearchParams(query);
  const wanted = parseRegistryPath(path);
  switch (wanted.kind) {
    case "invalid":
      return sendError(response, wanted.error);
    case "version":
      return sendJson(response, {});
    case "catalog": {
      const { page, next } = pageOf(await source.repositories(), parameters);
      return sendPage(response, path, next, { repositories: page });
    }
    case "tags": {
      const { repository } = wanted;
      const tags = await source.tags(repository);
      if (tags === undefined) return sendError(response, unknown("NAME", "repository"));
      const { page, next } = pageOf(tags, parameters);
      return sendPage(response, path, next, { name: repository, tags: page });
    }
    case "manifest": {
      const manifest = await source.manifest(wanted.repository, wanted.reference);
      if (manifest === undefined) return sendError(response, unknown("MANIFEST", "manifest"));
      setContentHeaders(response, manifest.digest, manifest.mediaType, manifest.bytes.length);
      response.end(manifest.bytes);
      return;
    }
    case "blob": {
      const blob = await source.blob(wanted.repository, wanted.digest);
      const file = blob === undefined ? undefined : await openIfThere(blob.path);
      if (blob === undefined || file === undefined) {
        return sendError(response, unknown("BLOB", "blob"));
      }
      await using _ = file;
      return await sendBlob(request, response, file, wanted.digest, blob.size);
    }
  }
}

async function sendBlob(
  request: IncomingMessage,
  response: ServerResponse,
  file: FileHandle,
  digest: Digest,
  size: number,
): Promise<void> {
  response.setHeader("accept-ranges", "bytes");
  const range = parseByteRange(request.headers.range, size);
  if (range === "unsatisfiable") {
    response.setHeader("content-range", `bytes */${size}`);
    const message = `the blob has ${size} bytes`;
    return sendError(response, { status: 416, code: "RANGE_INVALID", message });
  }
  const { first, last } = range ?? { first: 0, last: size - 1 };
  setContentHeaders(response, digest, "application/octet-stream", last - first + 1);
  if (range !== undefined) {
    response.statusCode = 206;
    response.setHeader("content-range", `bytes ${first}-${last}/${size}`);
  }
  if (request.method === "HEAD" || last < first) {
    response.end();
    return;
  }
  await pipeline(
    createReadStream("", {
      fd: file,
      autoClose: false,
      start: first,
      end: last,
      highWaterMark: READ_SIZE,
    }),
    response,
  );
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

function setContentHeaders(
  response: ServerResponse,
  digest: Digest,
  type: string,
  length: number,
): void {
  response.setHeader("content-type", type);
  response.setHeader("content-length", length);
  response.setHeader("docker-content-digest", digest);
  response.setHeader("etag", `"${digest}"`);
}

function sendPage(
  response: ServerResponse,
  path: string,
  next: string | undefined,
  body: unknown,
): void {
  if (next !== undefined) response.setHeader("link", `<${path}?${next}>; rel="next"`);
  sendJson(response, body);
}

function sendJson(response: ServerResponse, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.setHeader("content-type", "application/json");
  response.setHeader("content-length", bytes.length);
  response.end(bytes);
}

function unknown(what: "NAME" | "MANIFEST" | "BLOB", word: string): RegistryError {
  return { status: 404, code: `${what}_UNKNOWN`, message: `${word} unknown to registry` };
}

function sendError(response: ServerResponse, { status, code, message }: RegistryError): void {
  response.statusCode = status;
  sendJson(response, { errors: [{ code, message, detail: null }] });
}
