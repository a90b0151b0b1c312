import { Authorizer, type AuthorizerOptions } from "./auth.ts";
import { parseChallenges } from "./challenge.ts";
import { endpointsOf, isLoopbackHost } from "./endpoint.ts";
import { networkError } from "./failure.ts";
import { type Arrival, sendFollowing } from "./redirect.ts";
import type { HttpAnswer, HttpRequest, Transport } from "./transport.ts";
import { readBody } from "./transport.ts";

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
    const send = async (base: URL) => {
      const follow = (each: HttpRequest) => sendFollowing(this.#transport, each);
      return { ...(await this.#send(request, base, authorization, follow)), base };
    };
    if (second === undefined) return send(first);
    const plain = await send(first).catch((error: unknown) => ({ error }));
    // Servers that speak TLS answer plain HTTP with 400, or not at all.
    if (!("error" in plain) && plain.answer.status !== 400) {
      this.#endpoints = [first];
      return plain;
    }
    request.signal.throwIfAborted();
    try {
      const arrival = await send(second);
      this.#endpoints = [second];
      if (!("error" in plain)) plain.answer.close();
      return arrival;
    } catch {
      request.signal.throwIfAborted();
      if ("error" in plain) throw plain.error;
      return plain;
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
