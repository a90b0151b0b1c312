import { Authorizer, type AuthorizerOptions } from "./auth.ts";
import { parseChallenges } from "./challenge.ts";
import { endpointsOf, isLoopbackHost } from "./endpoint.ts";
import { networkError } from "./failure.ts";
import { type Arrival, sendFollowing } from "./redirect.ts";
import type { HttpAnswer, HttpRequest, Transport } from "./transport.ts";
import { readBody, rereadable } from "./transport.ts";

export interface SessionRequest {
  readonly method: "GET" | "HEAD";
  /** From `/v2/` on. */
  readonly path: string;
  readonly repository: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const MAX_CHALLENGE_BODY = 64 * 1024;

/** Requests to one registry: finds its address, answers its challenges, follows its redirects. */
export class RegistrySession {
  readonly #transport: Transport;
  readonly #authorizer: Authorizer;
  readonly #registry: string;
  readonly #userAgent: string;
  /** One entry once the registry has answered. */
  #endpoints: readonly URL[];

  constructor(options: AuthorizerOptions) {
    this.#transport = options.transport;
    this.#authorizer = new Authorizer(options);
    this.#registry = options.registry;
    this.#userAgent = options.userAgent;
    this.#endpoints = endpointsOf(options.registry, options.plainHttp);
  }

  /**
   * @returns the answer whatever its status, except that a 401 that can be answered has been
   * @throws RetryableError or TsimgError when the connection fails; the signal's reason
   */
  async request(request: SessionRequest): Promise<HttpAnswer> {
    const known = this.#authorizer.known(request.repository);
    const { answer, elsewhere, base } = await this.#sendSomewhere(request, known);
    if (answer.status !== 401 || elsewhere) return answer;
    const challenges = parseChallenges(answer.headers["www-authenticate"] ?? "");
    let authorization: string | undefined;
    try {
      const { repository, signal } = request;
      authorization = await this.#authorizer.answer(challenges, repository, base, known, signal);
    } catch (error) {
      answer.close();
      throw error;
    }
    if (authorization === undefined) return answer;
    return (
      await this.#send(request, base, authorization, async (first) => {
        // Read to its end, the connection is free for the next request.
        await readBody(answer, MAX_CHALLENGE_BODY);
        return sendFollowing(this.#transport, first);
      })
    ).answer;
  }

  /** Tries the addresses where the registry may answer, and stays with the one where it does. */
  async #sendSomewhere(
    request: SessionRequest,
    authorization: string | undefined,
  ): Promise<Arrival & { readonly base: URL }> {
    const [first, second] = this.#endpoints;
    if (first === undefined) throw new Error("a registry has at least one address");
    const send = (base: URL) =>
      this.#send(request, base, authorization, (each) => sendFollowing(this.#transport, each));
    if (second === undefined) return { ...(await send(first)), base: first };
    let failure: unknown;
    try {
      const arrival = await notForTls(await send(first));
      if (arrival !== undefined) {
        this.#endpoints = [first];
        return { ...arrival, base: first };
      }
    } catch (error) {
      request.signal.throwIfAborted();
      failure = error;
    }
    try {
      const arrival = await send(second);
      this.#endpoints = [second];
      return { ...arrival, base: second };
    } catch (error) {
      request.signal.throwIfAborted();
      throw failure ?? error;
    }
  }

  async #send(
    request: SessionRequest,
    base: URL,
    authorization: string | undefined,
    send: (request: HttpRequest) => Promise<Arrival>,
  ): Promise<Arrival> {
    const url = new URL(request.path, base);
    try {
      return await send({
        method: request.method,
        url,
        headers: {
          ...request.headers,
          "user-agent": this.#userAgent,
          ...(authorization !== undefined && { authorization }),
        },
        ...(isLoopbackHost(base) && { insecureTls: true }),
        signal: request.signal,
      });
    } catch (error) {
      request.signal.throwIfAborted();
      throw networkError(error, url, this.#registry);
    }
  }
}

/** Servers that speak TLS answer plain HTTP in words, with 400; undefined for those. */
async function notForTls(arrival: Arrival): Promise<Arrival | undefined> {
  if (arrival.answer.status !== 400) return arrival;
  const body = (await readBody(arrival.answer, MAX_CHALLENGE_BODY)) ?? Buffer.alloc(0);
  if (/to (?:an )?https (?:server|port)/i.test(body.toString("latin1"))) return undefined;
  return { ...arrival, answer: rereadable(arrival.answer, body) };
}
