import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import {
  describe,
  failureOf,
  type Handler,
  impatientClient,
  MemorySink,
  scriptedRegistry,
} from "./scripted-registry.ts";

const BLOB = randomBytes(300_000);
const DESCRIPTOR = describe(BLOB);
const { client, waits } = impatientClient();
afterAll(() => client[Symbol.dispose]());

/** Serves the blob as a good registry does. */
const serveBlob: Handler = (request, response) => {
  const start = Number(/^bytes=([0-9]+)-$/.exec(request.headers.range ?? "")?.[1] ?? -1);
  if (start < 0) {
    response.writeHead(200, { "content-length": BLOB.length }).end(BLOB);
    return;
  }
  sendPart(response, start).end(BLOB.subarray(start));
};

function sendPart(response: ServerResponse, start: number, total = BLOB.length): ServerResponse {
  return response.writeHead(206, {
    "content-length": BLOB.length - start,
    "content-range": `bytes ${start}-${BLOB.length - 1}/${total}`,
  });
}

/** Sends the head, some bytes, then breaks the connection. */
function cutAfter(response: ServerResponse, bytes: Buffer): void {
  response.write(bytes, () => response.destroy());
}

async function download(handler: Handler, sink = new MemorySink()) {
  await using registry = await scriptedRegistry(handler);
  waits.length = 0;
  const failure = await client
    .downloadBlob(registry.reference("app"), DESCRIPTOR, sink)
    .then(() => undefined)
    .catch((error: unknown) => error);
  return { failure, sink, ranges: registry.requests.map(({ headers }) => headers.range) };
}

test("a blob that the sink has in part is continued where it ends", async () => {
  const sink = new MemorySink(BLOB.subarray(0, 123_456));
  const { failure, ranges } = await download(serveBlob, sink);
  expect(failure).toBeUndefined();
  expect(sink.bytes.equals(BLOB)).toBe(true);
  expect(ranges).toEqual(["bytes=123456-"]);
});

test("a sink that has everything costs no request, an empty blob neither", async () => {
  const { ranges } = await download(serveBlob, new MemorySink(BLOB));
  expect(ranges).toEqual([]);
});

test("connections that break at any byte are continued there", async () => {
  const cuts = fc.array(fc.nat({ max: BLOB.length - 1 }), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(cuts, async (lengths) => {
      const left = [...lengths];
      const { failure, sink } = await download((request, response) => {
        const length = left.pop();
        if (length === undefined) return serveBlob(request, response);
        const start = Number(/[0-9]+/.exec(request.headers.range ?? "0")?.[0]);
        const status = start > 0 ? sendPart(response, start) : response;
        if (start === 0) response.writeHead(200, { "content-length": BLOB.length });
        cutAfter(status, BLOB.subarray(start, start + length));
      });
      expect(failure).toBeUndefined();
      expect(sink.bytes.equals(BLOB)).toBe(true);
    }),
    { numRuns: 15 },
  );
});

test("a server that ignores the range is read from its start, and nothing is written twice", async () => {
  const sink = new MemorySink(BLOB.subarray(0, 100_001));
  const { failure } = await download((_, response) => void response.end(BLOB), sink);
  expect(failure).toBeUndefined();
  expect(sink.restarts).toBe(0);
  expect(sink.bytes.equals(BLOB)).toBe(true);
});

test("a part that begins elsewhere is not used: the whole blob is asked for", async () => {
  const sink = new MemorySink(BLOB.subarray(0, 1000));
  const { failure, ranges } = await download((request, response) => {
    if (request.headers.range === undefined) serveBlob(request, response);
    else sendPart(response, 999).end(BLOB.subarray(999));
  }, sink);
  expect(failure).toBeUndefined();
  expect(sink.bytes.equals(BLOB)).toBe(true);
  expect(ranges).toEqual(["bytes=1000-", undefined]);
});

test("a part that nobody asked for is refused", async () => {
  const { failure } = await download((_, response) => void sendPart(response, 7).end());
  expect(failure).toMatchObject({ code: "ERR_REGISTRY", message: /nobody asked/ });
});

test("a range that the server can't satisfy starts the blob anew", async () => {
  const sink = new MemorySink(Buffer.alloc(5000));
  const { failure } = await download((request, response) => {
    if (request.headers.range === undefined) serveBlob(request, response);
    else response.writeHead(416).end();
  }, sink);
  expect(failure).toBeUndefined();
  expect([sink.restarts, sink.bytes.equals(BLOB)]).toEqual([1, true]);
});

test("a sink with more than the whole blob starts anew", async () => {
  const sink = new MemorySink(Buffer.alloc(BLOB.length + 1));
  const { failure } = await download(serveBlob, sink);
  expect(failure).toBeUndefined();
  expect(sink.bytes.equals(BLOB)).toBe(true);
});

const LIES: Readonly<Record<string, Handler>> = {
  "a longer blob, by its head": (_, response) =>
    void response.writeHead(200, { "content-length": BLOB.length + 1 }).end(Buffer.alloc(1)),
  "a shorter blob, by its head": (_, response) =>
    void response.writeHead(200, { "content-length": 3 }).end("abc"),
  "a longer blob, without a length": (_, response) => void response.end(Buffer.alloc(400_000)),
  "a body without end": (_, response) => {
    const more = () => void response.write(Buffer.alloc(65_536), (error) => !error && more());
    more();
  },
  "a shorter blob, without a length": (_, response) => {
    response.write("abc");
    response.end();
  },
};

test.each(Object.entries(LIES))(
  "%s: refused, and never more written than stated",
  async (_, lie) => {
    const { failure, sink } = await download(lie);
    expect(failure).toMatchObject({ code: "ERR_SIZE_MISMATCH" });
    expect(sink.offset).toBeLessThanOrEqual(BLOB.length);
  },
);

test("a part of a blob of another length is refused", async () => {
  const sink = new MemorySink(BLOB.subarray(0, 10));
  const handler: Handler = (_, response) => void sendPart(response, 10, 9).end();
  expect((await download(handler, sink)).failure).toMatchObject({ code: "ERR_SIZE_MISMATCH" });
});

test("429 and 5xx are tried again after the time that the server names, at most a minute", async () => {
  const answers: [number, string][] = [
    [429, "7"],
    [503, new Date(Date.now() + 30_000).toUTCString()],
    [500, "86400"],
  ];
  const { failure, sink } = await download((request, response) => {
    const answer = answers.shift();
    if (answer === undefined) return serveBlob(request, response);
    response.writeHead(answer[0], { "retry-after": answer[1] }).end();
  });
  expect(failure).toBeUndefined();
  expect(sink.bytes.equals(BLOB)).toBe(true);
  const [seconds, date = 0, long] = waits;
  expect([seconds, long]).toEqual([7000, 60_000]);
  expect(date).toBeGreaterThan(20_000);
});

test("without progress it gives up, with growing waits and the registry's words", async () => {
  const body = JSON.stringify({ errors: [{ code: "X", message: "disk \u001b[31mfull\n" }] });
  const { failure, ranges } = await download(
    (_, response) => void response.writeHead(500).end(body),
  );
  expect(failure).toMatchObject({ code: "ERR_REGISTRY", message: /answers 500 .*disk \[31mfull$/ });
  expect(ranges).toHaveLength(6);
  expect(waits.map((ms, n) => ms >= 250 * 2 ** n && ms <= 500 * 2 ** n)).toEqual(
    Array(5).fill(true),
  );
});

test.each([
  [403, "ERR_UNAUTHORIZED"],
  [404, "ERR_REGISTRY"],
  [400, "ERR_REGISTRY"],
])("%d is not tried again", async (status, code) => {
  const { failure, ranges } = await download(
    (_, response) => void response.writeHead(status).end(),
  );
  expect(failure).toMatchObject({ code });
  expect(ranges).toHaveLength(1);
});

test("silence counts as a broken connection", async () => {
  const { client: hasty } = impatientClient({ stallMs: 20 });
  let first = true;
  await using registry = await scriptedRegistry((request, response) => {
    if (!first) return serveBlob(request, response);
    first = false;
    response.writeHead(200, { "content-length": BLOB.length }).write(BLOB.subarray(0, 1000));
  });
  const sink = new MemorySink();
  await hasty.downloadBlob(registry.reference("app"), DESCRIPTOR, sink);
  hasty[Symbol.dispose]();
  expect(sink.bytes.equals(BLOB)).toBe(true);
  expect(registry.requests[1]?.headers.range).toBe("bytes=1000-");
});

test("a failing sink ends the download with its own error", async () => {
  const full = new Error("no space left");
  for (const write of [() => Promise.reject(full), () => raise(full)]) {
    await using registry = await scriptedRegistry(serveBlob);
    const sink = { offset: 0, write, restart: () => {} };
    const pulled = client.downloadBlob(registry.reference("app"), DESCRIPTOR, sink);
    expect(await failureOf(pulled)).toBe(full);
    expect(registry.asked).toHaveLength(1);
  }
});

test("an abort ends a download at once, with the signal's reason", async () => {
  const controller = new AbortController();
  await using registry = await scriptedRegistry((_, response) => {
    response.writeHead(200, { "content-length": BLOB.length }).write(BLOB.subarray(0, 1000));
  });
  const sink = new MemorySink();
  const pulled = client.downloadBlob(registry.reference("a"), DESCRIPTOR, sink, controller.signal);
  const failure = failureOf(pulled);
  while (sink.offset === 0) await new Promise((resolve) => setImmediate(resolve));
  const reason = new Error("interrupted");
  controller.abort(reason);
  expect(await failure).toBe(reason);
  expect(sink.offset).toBe(1000);
});

test("a slow sink holds the download back", async () => {
  await using registry = await scriptedRegistry(serveBlob);
  const memory = new MemorySink();
  let writing = 0;
  const sink = {
    get offset() {
      return memory.offset;
    },
    restart: () => memory.restart(),
    write: async (chunk: Buffer) => {
      writing += 1;
      expect(writing).toBe(1);
      await new Promise((resolve) => setImmediate(resolve));
      memory.write(chunk);
      writing -= 1;
    },
  };
  await client.downloadBlob(registry.reference("app"), DESCRIPTOR, sink);
  expect(memory.bytes.equals(BLOB)).toBe(true);
});

test("a foreign layer's plain HTTP address is never used", async () => {
  await using registry = await scriptedRegistry(
    (_, response) => void response.writeHead(404).end(),
  );
  const descriptor = { ...DESCRIPTOR, urls: [`${registry.url}/layer`] };
  const pulled = client.downloadBlob(registry.reference("a"), descriptor, new MemorySink());
  expect(await failureOf(pulled)).toMatchObject({ message: /not found/ });
  expect(registry.asked).toHaveLength(1);
});

function raise(error: Error): never {
  throw error;
}
