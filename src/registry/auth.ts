import type { Challenge } from "./challenge.ts";
import type { CredentialSource, Credentials } from "./credentials.ts";
import { basicHeader, fetchToken, type TokenPlace } from "./token.ts";
import type { Transport } from "./transport.ts";

export interface AuthorizerOptions {
  readonly registry: string;
  readonly transport: Transport;
  readonly credentials: CredentialSource;
  readonly userAgent: string;
  readonly plainHttp: boolean;
}

interface Grant {
  readonly header: string;
  /** As `Date.now()` counts. */
  readonly expires: number;
}

/** Tokens are renewed this long before they end, so that no request arrives with a stale one. */
const EXPIRY_MARGIN_MS = 10_000;

/** What one registry has to be told about who is asking, and what it granted for that. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  /** By realm, service and scope. A promise, so that parallel requests share one token. */
  readonly #grants = new Map<string, Promise<Grant>>();
  /** The grant that each repository's requests carried last. */
  readonly #current = new Map<string, Grant>();

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** The `Authorization` header to send without being asked, from what earlier answers taught. */
  known(repository: string): string | undefined {
    const grant = this.#current.get(repository);
    return grant !== undefined && isFresh(grant) ? grant.header : undefined;
  }

  /**
   * The `Authorization` header that answers one of `challenges`, or undefined when none can be
   * answered.
   *
   * @param base the registry's address; credentials go there or to its token server
   * @param refused the header that the registry has just refused
   */
  async answer(
    challenges: readonly Challenge[],
    repository: string,
    base: URL,
    refused: string | undefined,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { registry, credentials } = this.#options;
    const login = await credentials.find(registry, repository);
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    const grant =
      bearer !== undefined
        ? await this.#bearer(bearer, repository, base, login, refused, signal)
        : challenges.some(({ scheme }) => scheme === "basic")
          ? basic(login)
          : undefined;
    if (grant === undefined || grant.header === refused) return undefined;
    this.#current.set(repository, grant);
    return grant.header;
  }

  async #bearer(
    challenge: Challenge,
    repository: string,
    base: URL,
    login: Credentials | undefined,
    refused: string | undefined,
    signal: AbortSignal,
  ): Promise<Grant> {
    if (login?.kind === "registry-token") {
      return { header: `Bearer ${login.token}`, expires: Number.POSITIVE_INFINITY };
    }
    const place: TokenPlace = {
      realm: challenge.parameters.get("realm") ?? "",
      service: challenge.parameters.get("service"),
      scope: challenge.parameters.get("scope") || `repository:${repository}:pull`,
    };
    const key = JSON.stringify([place.realm, place.service, place.scope]);
    for (let asked = this.#grants.get(key); asked !== undefined; asked = this.#grants.get(key)) {
      const grant = await asked.catch(() => undefined);
      if (grant !== undefined && isFresh(grant) && grant.header !== refused) return grant;
      // Another request may have asked anew while this one waited: then its token is the one.
      if (this.#grants.get(key) === asked) this.#grants.delete(key);
    }
    const asked = fetchToken(this.#options, place, repository, base, login, signal).then(
      ({ token, seconds }) => ({
        header: `Bearer ${token}`,
        expires: Date.now() + seconds * 1000,
      }),
    );
    this.#grants.set(key, asked);
    return asked;
  }
}

function isFresh(grant: Grant): boolean {
  return grant.expires - EXPIRY_MARGIN_MS > Date.now();
}

function basic(login: Credentials | undefined): Grant | undefined {
  if (login?.kind !== "basic") return undefined;
  return { header: basicHeader(login.username, login.password), expires: Number.POSITIVE_INFINITY };
}
