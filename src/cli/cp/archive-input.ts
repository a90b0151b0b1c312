import { PassThrough, pipeline, type Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { TsimgError } from "../../sys/error.ts";

const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** What comes in on standard input, inflated where it is gzip or zstd. */
export async function* archiveFromInput(): AsyncGenerator<Buffer> {
  if (process.stdin.isTTY)
    throw new TsimgError("ERR_USAGE", "standard input is a terminal, not a tar archive", {
      hint: "as in tar c . | tsimg cp - web:/srv",
    });
  const input = process.stdin[Symbol.asyncIterator]();
  const first = await startOf(input);
  const inflate = inflaterOf(first);
  async function* whole(): AsyncGenerator<Buffer> {
    yield first;
    for (let next = await input.next(); next.done !== true; next = await input.next())
      yield next.value as Buffer;
  }
  if (inflate === undefined) return yield* whole();
  try {
    // A failure comes out of the last stream, which is read here.
    for await (const chunk of pipeline(whole, inflate, new PassThrough(), () => {}))
      yield chunk as Buffer;
  } catch (cause) {
    throw new TsimgError("ERR_LAYER_CORRUPT", "the archive can't be decompressed", { cause });
  }
}

/** Enough bytes to see what they are, where there are as many. */
async function startOf(input: AsyncIterator<unknown>): Promise<Buffer> {
  let start = Buffer.alloc(0);
  while (start.length < ZSTD.length) {
    const next = await input.next();
    if (next.done === true) break;
    start = Buffer.concat([start, next.value as Buffer]);
  }
  return start;
}

function inflaterOf(start: Buffer): Transform | undefined {
  if (start.subarray(0, GZIP.length).equals(GZIP)) return createGunzip();
  return start.subarray(0, ZSTD.length).equals(ZSTD) ? createZstdDecompress() : undefined;
}
