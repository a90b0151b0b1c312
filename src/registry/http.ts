import http from "node:http";
import https from "node:https";
import got, { type Request, type Response } from "got";
import { isLoopbackHost } from "./endpoint.ts";
import type { HttpAnswer, HttpRequest, Transport } from "./transport.ts";

/** How long to wait for each step of a request, in milliseconds. */
const TIMEOUT = { lookup: 20_000, connect: 20_000, secureConnect: 20_000, response: 60_000 };

interface AgentPair {
  readonly http: http.Agent;
  readonly https: https.Agent;
}

/**
 * A transport over got. Connections are kept open for the next request. The environment's
 * `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` are honoured, but for loopback hosts.
 */
export function gotTransport(): Transport {
  const direct = agents({});
  const proxied = agents({ proxyEnv: process.env });
  return {
    send: (request) => send(request, isLoopbackHost(request.url) ? direct : proxied),
    close: () => {
      for (const agent of [direct, proxied].flatMap((pair) => [pair.http, pair.https])) {
        agent.destroy();
      }
    },
  };
}

function agents(options: http.AgentOptions): AgentPair {
  const both = { ...options, keepAlive: true };
  return { http: new http.Agent(both), https: new https.Agent(both) };
}

async function send(request: HttpRequest, agent: AgentPair): Promise<HttpAnswer> {
  const { signal } = request;
  signal.throwIfAborted();
  const stream = got.stream(request.url, {
    method: request.method,
    headers: request.headers,
    ...(request.body !== undefined && { body: request.body }),
    ...(request.insecureTls && { https: { rejectUnauthorized: false } }),
    agent,
    timeout: TIMEOUT,
    decompress: false,
    followRedirect: false,
    throwHttpErrors: false,
    retry: { limit: 0 },
    // The body is read past got's own stream, which would count no bytes.
    strictContentLength: false,
  });
  const abort = (): void => {
    stream.destroy();
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    const response = await headOf(stream);
    return answerOf(stream, response, signal, () => signal.removeEventListener("abort", abort));
  } catch (error) {
    signal.removeEventListener("abort", abort);
    throw signal.aborted ? signal.reason : error;
  }
}

function headOf(stream: Request): Promise<Response> {
  return new Promise((resolve, reject) => {
    // Stays for good: got reports a broken connection here too, long after the head has come.
    stream.on("error", reject);
    stream.once("close", () => reject(brokenOff()));
    stream.once("response", (response: Response) => {
      // Read from Node's own stream, in flowing mode, a body costs a sixth less CPU time than
      // through got's: docs/design/got.md.
      response.removeAllListeners("readable");
      // Without a listener a connection that breaks before `receive` would end the process.
      response.on("error", () => {});
      resolve(response);
    });
  });
}

function answerOf(
  stream: Request,
  response: Response,
  signal: AbortSignal,
  settled: () => void,
): HttpAnswer {
  return {
    status: response.statusCode,
    headers: response.headers,
    receive: async (take, stallMs) => {
      try {
        await flow(response, take, stallMs);
      } catch (error) {
        stream.destroy();
        throw signal.aborted ? signal.reason : error;
      } finally {
        settled();
      }
    },
    close: () => {
      settled();
      stream.destroy();
    },
  };
}

function flow(
  response: Response,
  take: (chunk: Buffer) => void | Promise<void>,
  stallMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    // An answer without a body can have come to its end, or broken, before anybody reads it.
    if (response.readableEnded) {
      resolve();
      return;
    }
    if (response.destroyed) {
      reject(response.errored ?? brokenOff());
      return;
    }
    let failed = false;
    let taking: Promise<void> | undefined;
    const stall = setTimeout(() => fail(stalled(stallMs)), stallMs);
    const fail = (error: unknown): void => {
      failed = true;
      clearTimeout(stall);
      // A chunk that is being taken may still be written to a file: not behind the caller's back.
      const end = (): void => reject(error);
      if (taking === undefined) end();
      else void taking.then(end, end);
    };
    const waitFor = async (taken: Promise<void>): Promise<void> => {
      response.pause();
      clearTimeout(stall);
      taking = taken;
      try {
        await taken;
        taking = undefined;
        if (failed) return;
        stall.refresh();
        response.resume();
      } catch (error) {
        fail(error);
      }
    };
    response.on("data", (chunk: Buffer) => {
      if (failed) return;
      try {
        const taken = take(chunk);
        if (taken === undefined) stall.refresh();
        else void waitFor(taken);
      } catch (error) {
        fail(error);
      }
    });
    response.once("end", () => {
      clearTimeout(stall);
      resolve();
    });
    response.once("error", fail);
    response.once("close", () => fail(brokenOff()));
    response.resume();
  });
}

function brokenOff(): Error {
  return Object.assign(new Error("the connection was closed early"), { code: "ECONNRESET" });
}

function stalled(stallMs: number): Error {
  const message = `no data came for ${Math.round(stallMs / 1000)} s`;
  return Object.assign(new Error(message), { code: "ETIMEDOUT" });
}
