import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Between a client and a registry: counts what the client gets. It is slower than any client,
 * so that little is under way in the buffers of sockets when a client is killed.
 */
export interface CountingProxy extends AsyncDisposable {
  readonly port: number;
  /** Bytes of all bodies so far. */
  bytes(): number;
  /** Every GET so far, as its path. */
  paths(): readonly string[];
}

/** Between two pieces of at most 64 KiB of one answer. */
const PAUSE_MS = 1;

export async function startCountingProxy(registryPort: number): Promise<CountingProxy> {
  let bytes = 0;
  const paths: string[] = [];
  async function pass(answer: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    try {
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        if (outgoing.destroyed) return;
        bytes += chunk.length;
        outgoing.write(chunk);
        await sleep(PAUSE_MS);
      }
      outgoing.end();
    } catch {
      outgoing.destroy();
    }
  }
  const server = createServer((incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    if (method === "GET") paths.push(path ?? "");
    const onward = request({ host: "127.0.0.1", port: registryPort, method, path, headers });
    onward.on("response", (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      void pass(answer, outgoing);
    });
    // Whoever goes away takes the other side along.
    onward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  return {
    port: (server.address() as AddressInfo).port,
    bytes: () => bytes,
    paths: () => paths,
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}
