import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Descriptor } from "../../../src/oci/descriptor.ts";
import { sha256Digest } from "../../../src/oci/digest.ts";
import { parseReference, type Reference } from "../../../src/oci/reference.ts";
import { RegistryClient, type RegistryClientOptions } from "../../../src/registry/client.ts";
import type { BlobSink } from "../../../src/registry/download.ts";

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on loopback that answers as a test tells it, and remembers what it was asked. */
export interface ScriptedRegistry extends AsyncDisposable {
  readonly host: string;
  readonly url: string;
  /** `GET /path`, in the order of their arrival. */
  readonly asked: string[];
  readonly requests: IncomingMessage[];
  reference(name: string): Reference;
}

export async function scriptedRegistry(handler: Handler): Promise<ScriptedRegistry> {
  const asked: string[] = [];
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    requests.push(request);
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `http://${host}`,
    asked,
    requests,
    reference: (name) => parseReference(`${host}/${name}`),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A client that never sleeps, and notes for how long it would have. */
export function impatientClient(options: Partial<RegistryClientOptions> = {}): {
  readonly client: RegistryClient;
  readonly waits: number[];
} {
  const waits: number[] = [];
  const sleep = async (ms: number): Promise<void> => {
    waits.push(ms);
  };
  const client = new RegistryClient({ userAgent: "test", ...options, retry: { sleep } });
  return { client, waits };
}

export class MemorySink implements BlobSink {
  restarts = 0;
  #bytes: Buffer;

  constructor(bytes: Uint8Array = Buffer.alloc(0)) {
    this.#bytes = Buffer.from(bytes);
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  get offset(): number {
    return this.#bytes.length;
  }

  write(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
  }

  restart(): void {
    this.restarts += 1;
    this.#bytes = Buffer.alloc(0);
  }
}

export function describe(bytes: Uint8Array, mediaType = "application/octet-stream"): Descriptor {
  return { mediaType, digest: sha256Digest(bytes), size: bytes.length };
}

/** What `promise` fails with; the test fails when it doesn't. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error("nothing was thrown");
    },
    (error: unknown) => error,
  );
}
