import type http from "node:http";
import type https from "node:https";
import type { HttpAnswer, HttpRequest } from "./transport.ts";

/** How long to wait for the answer's head, in milliseconds. */
const TIMEOUT = 60_000;

/**
 * A HEAD request by Node alone. It is all that a pull of an up-to-date tag sends, and loading
 * got would take as long as all the rest of it: docs/design/got.md.
 */
export function sendHead(
  { request }: typeof http | typeof https,
  { url, headers, insecureTls, signal }: HttpRequest,
  agent: http.Agent,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const tls = insecureTls === true ? { rejectUnauthorized: false } : {};
    const sent = request(url, { method: "HEAD", headers, agent, timeout: TIMEOUT, signal, ...tls });
    sent.on("timeout", () => sent.destroy(timedOut()));
    sent.on("error", (error) => reject(signal.aborted ? signal.reason : error));
    sent.on("response", (response) => {
      response.on("error", () => {});
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        // An answer to HEAD has no body: reading it gives the connection back.
        receive: async () => {
          response.resume();
        },
        close: () => {
          response.destroy();
        },
      });
    });
    sent.end();
  });
}

function timedOut(): Error {
  const message = `no answer came for ${TIMEOUT / 1000} s`;
  return Object.assign(new Error(message), { code: "ETIMEDOUT" });
}
