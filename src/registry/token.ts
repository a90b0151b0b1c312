import { TsimgError } from "../sys/error.ts";
import type { Credentials } from "./credentials.ts";
import { isLoopbackHost } from "./endpoint.ts";
import { networkError, oneLine, statusError } from "./failure.ts";
import { sendFollowing } from "./redirect.ts";
import { type HttpAnswer, type HttpRequest, readBody, type Transport } from "./transport.ts";

/** Where a registry says that tokens are to be had, and for what. */
export interface TokenPlace {
  readonly realm: string;
  readonly service: string | undefined;
  readonly scope: string;
}

export interface Token {
  readonly token: string;
  /** How long it is good for. */
  readonly seconds: number;
}

export interface TokenClient {
  readonly registry: string;
  readonly transport: Transport;
  readonly userAgent: string;
  readonly plainHttp: boolean;
}

const MAX_TOKEN_BODY = 1024 * 1024;
const MAX_TOKEN_LENGTH = 64 * 1024;
const DEFAULT_SECONDS = 60;
const LONGEST_SECONDS = 24 * 3600;

/**
 * Gets a token that allows `place.scope`: anonymously, with a name and password, or in exchange
 * for an identity token.
 *
 * @param base the registry that named the realm: a realm on plain HTTP is only good enough for
 *   a registry that itself speaks it
 * @throws TsimgError ERR_UNAUTHORIZED when the server refuses; RetryableError when it is in trouble
 * @see distribution, "Token Authentication Specification" and "OAuth 2.0 token"
 */
export async function fetchToken(
  client: TokenClient,
  place: TokenPlace,
  repository: string,
  base: URL,
  login: Credentials | undefined,
  signal: AbortSignal,
): Promise<Token> {
  const { registry, transport } = client;
  const realm = checkRealm(place.realm, base, client);
  const insecureTls = isLoopbackHost(realm) && isLoopbackHost(base);
  const common = { signal, ...(insecureTls && { insecureTls }) };
  try {
    const answer =
      login?.kind === "identity-token"
        ? await transport.send({ ...exchange(client, realm, place, login.token), ...common })
        : (await sendFollowing(transport, { ...ask(client, realm, place, login), ...common }))
            .answer;
    if (answer.status === 200) return await readToken(answer, registry);
    throw await statusError(answer, {
      what: `a token for "${repository}"`,
      registry,
      repository,
      missing: "ERR_REGISTRY",
    });
  } catch (error) {
    signal.throwIfAborted();
    throw networkError(error, realm, registry);
  }
}

export function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function checkRealm(text: string, base: URL, client: TokenClient): URL {
  const realm = URL.canParse(text) ? new URL(text) : undefined;
  const secure = realm?.protocol === "https:";
  const plain =
    realm?.protocol === "http:" &&
    base.protocol === "http:" &&
    (isLoopbackHost(realm) || client.plainHttp);
  if (realm !== undefined && (secure || plain) && realm.username === "" && realm.password === "") {
    realm.hash = "";
    return realm;
  }
  throw new TsimgError(
    "ERR_REGISTRY",
    `registry "${client.registry}" names the token server ${JSON.stringify(oneLine(text, 200))}, which can't be trusted`,
    { hint: "a token server must have an https address without a user name" },
  );
}

function ask(
  client: TokenClient,
  realm: URL,
  place: TokenPlace,
  login: Credentials | undefined,
): Omit<HttpRequest, "signal"> {
  const url = new URL(realm);
  if (place.service !== undefined) url.searchParams.append("service", place.service);
  for (const scope of place.scope.split(" ").filter((each) => each !== "")) {
    url.searchParams.append("scope", scope);
  }
  const headers: Record<string, string> = { "user-agent": client.userAgent };
  if (login?.kind === "basic") {
    url.searchParams.append("account", login.username);
    headers["authorization"] = basicHeader(login.username, login.password);
  }
  return { method: "GET", url, headers };
}

/** Not followed anywhere: the body is a secret. */
function exchange(
  client: TokenClient,
  url: URL,
  place: TokenPlace,
  identityToken: string,
): Omit<HttpRequest, "signal"> {
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    service: place.service ?? "",
    scope: place.scope,
    client_id: "tsimg",
    refresh_token: identityToken,
  });
  const headers = {
    "user-agent": client.userAgent,
    "content-type": "application/x-www-form-urlencoded",
  };
  return { method: "POST", url, headers, body: form.toString() };
}

async function readToken(answer: HttpAnswer, registry: string): Promise<Token> {
  const body = await readBody(answer, MAX_TOKEN_BODY);
  const document = parseObject(body);
  const token = document["token"] || document["access_token"];
  // A token goes into a header: nothing but visible ASCII.
  if (typeof token !== "string" || token.length > MAX_TOKEN_LENGTH || !/^[!-~]+$/.test(token)) {
    throw new TsimgError("ERR_REGISTRY", `the token server of "${registry}" sent no usable token`);
  }
  const stated = document["expires_in"];
  const seconds = typeof stated === "number" && stated > 0 ? stated : DEFAULT_SECONDS;
  return { token, seconds: Math.min(Math.max(seconds, DEFAULT_SECONDS), LONGEST_SECONDS) };
}

function parseObject(body: Buffer | undefined): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body?.toString("utf8") ?? "");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
