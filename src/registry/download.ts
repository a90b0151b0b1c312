import type { Descriptor } from "../oci/descriptor.ts";
import { TsimgError } from "../sys/error.ts";
import { networkError, RetryableError } from "./failure.ts";
import { type HttpAnswer, STALL_MS } from "./transport.ts";

/**
 * Where a blob goes. It verifies the digest itself; the download sees to order and length.
 */
export interface BlobSink {
  /** Bytes that it holds already, in order from the blob's first. */
  readonly offset: number;
  /** Appends. The next chunk comes when the returned promise is fulfilled. */
  write(chunk: Buffer): void | Promise<void>;
  /** The server says that what the sink holds can't be right: forget it, `offset` is 0 then. */
  restart(): void | Promise<void>;
}

export interface DownloadOptions {
  readonly descriptor: Descriptor;
  readonly sink: BlobSink;
  readonly registry: string;
  readonly signal: AbortSignal;
  readonly stallMs?: number;
  /** Asks for the blob, from the byte that `headers` may name on; throws for any bad status. */
  readonly ask: (headers: Readonly<Record<string, string>>) => Promise<HttpAnswer>;
}

/** What became of one try: everything is there, or the server can't continue where we stopped. */
export type DownloadStep = "complete" | "ranges-refused";

/**
 * One try to fetch what the sink lacks.
 *
 * @param useRange false after a server has answered a range wrongly: the whole blob is asked for
 *   then, and what the sink has is skipped
 * @throws RetryableError when the connection broke: the sink keeps what came
 * @throws TsimgError ERR_SIZE_MISMATCH when the blob is not as long as its descriptor says
 */
export async function downloadOnce(
  options: DownloadOptions,
  useRange: boolean,
): Promise<DownloadStep> {
  const { descriptor, sink, registry, signal } = options;
  if (sink.offset > descriptor.size) await sink.restart();
  if (sink.offset === descriptor.size) return "complete";
  const from = sink.offset;
  const ranged = from > 0 && useRange;
  const answer = await options.ask({
    "accept-encoding": "identity",
    ...(ranged && { range: `bytes=${from}-` }),
  });
  if (answer.status === 416) {
    answer.close();
    if (!ranged) throw sizeMismatch(descriptor, "the registry has no such bytes");
    await sink.restart();
    return "ranges-refused";
  }
  if (answer.status === 206) {
    const continues = continuesAt(answer, from, descriptor);
    if (!continues) answer.close();
    if (!continues && !ranged) throw partUnasked(registry, descriptor);
    if (!continues) return "ranges-refused";
  }
  const start = answer.status === 206 ? from : 0;
  try {
    checkLength(answer, descriptor, start);
  } catch (error) {
    answer.close();
    throw error;
  }
  await receive(options, answer, start);
  signal.throwIfAborted();
  if (sink.offset === descriptor.size) return "complete";
  const final = sizeMismatch(descriptor, `the registry sends only ${sink.offset}`);
  throw new RetryableError(final);
}

/** Writes what the sink lacks of a body that begins at byte `start` of the blob. */
async function receive(options: DownloadOptions, answer: HttpAnswer, start: number): Promise<void> {
  const { descriptor, sink, registry, signal } = options;
  let skip = sink.offset - start;
  let room = descriptor.size - sink.offset;
  let sinkFailed = false;
  const write = (chunk: Buffer): void | Promise<void> => {
    if (chunk.length > room) throw sizeMismatch(descriptor, "the registry sends more");
    room -= chunk.length;
    try {
      const written = sink.write(chunk);
      return written?.catch((error: unknown) => {
        sinkFailed = true;
        throw error;
      });
    } catch (error) {
      sinkFailed = true;
      throw error;
    }
  };
  try {
    await answer.receive((chunk) => {
      if (skip === 0) return write(chunk);
      const rest = chunk.subarray(skip);
      skip -= chunk.length - rest.length;
      return rest.length === 0 ? undefined : write(rest);
    }, options.stallMs ?? STALL_MS);
  } catch (error) {
    signal.throwIfAborted();
    // A full disk is no trouble of the network.
    if (sinkFailed || error instanceof TsimgError) throw error;
    throw networkError(error, new URL(`https://${registry}/`), registry);
  }
}

function continuesAt(answer: HttpAnswer, from: number, descriptor: Descriptor): boolean {
  const match = /^bytes ([0-9]+)-[0-9]+\/([0-9]+|\*)$/.exec(answer.headers["content-range"] ?? "");
  if (match === null) return false;
  const total = match[2] === "*" ? descriptor.size : Number(match[2]);
  if (total !== descriptor.size) {
    answer.close();
    throw sizeMismatch(descriptor, `the registry has ${total}`);
  }
  return Number(match[1]) === from;
}

function checkLength(answer: HttpAnswer, descriptor: Descriptor, start: number): void {
  const stated = answer.headers["content-length"];
  if (answer.status !== 200 || stated === undefined || answer.headers["content-encoding"]) return;
  const total = start + Number(stated);
  if (total !== descriptor.size) throw sizeMismatch(descriptor, `the registry has ${total}`);
}

function partUnasked(registry: string, descriptor: Descriptor): TsimgError {
  const message = `registry "${registry}" sends a part of blob ${descriptor.digest} that nobody asked for`;
  return new TsimgError("ERR_REGISTRY", message);
}

function sizeMismatch(descriptor: Descriptor, flaw: string): TsimgError {
  return new TsimgError(
    "ERR_SIZE_MISMATCH",
    `blob ${descriptor.digest} should have ${descriptor.size} bytes, but ${flaw}`,
    { hint: "the registry's copy is damaged: push the image again" },
  );
}
