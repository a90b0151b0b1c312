import type { IncomingHttpHeaders } from "node:http";

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Accept any certificate: for loopback hosts, where nobody can listen in between. */
  readonly insecureTls?: boolean;
  readonly signal: AbortSignal;
}

/** An answer whose body has not been read. Exactly one of `receive` and `close` must be called. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /**
   * Hands the body to `take`, chunk by chunk, waiting for the promises that it returns.
   *
   * @param stallMs after so many milliseconds without a byte the connection counts as broken
   * @throws what `take` throws; the signal's reason; an error with a `code` of node:net, node:tls
   *   or the HTTP parser when the connection breaks before the body is complete
   */
  receive(take: (chunk: Buffer) => void | Promise<void>, stallMs: number): Promise<void>;
  /** Gives the body up, and the connection with it. */
  close(): void;
}

/** One request, one answer: no redirects, no retries, no judgement of the status. */
export interface Transport {
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** Closes idle connections. */
  close(): void;
}

/** Silence that counts as a broken connection, in milliseconds. */
export const STALL_MS = 60_000;

/** Reads a body of at most `limit` bytes; of a longer one undefined, and closes the connection. */
export async function readBody(answer: HttpAnswer, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    await answer.receive((chunk) => {
      length += chunk.length;
      if (length > limit) throw TOO_LONG;
      chunks.push(chunk);
    }, STALL_MS);
  } catch (error) {
    if (error === TOO_LONG) return undefined;
    throw error;
  }
  return Buffer.concat(chunks);
}

const TOO_LONG = new Error("the body is longer than its limit");
