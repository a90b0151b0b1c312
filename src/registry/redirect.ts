import { TsimgError } from "../sys/error.ts";
import { oneLine } from "./failure.ts";
import { type HttpAnswer, type HttpRequest, readBody, type Transport } from "./transport.ts";

const MAX_REDIRECTS = 5;
const MAX_REDIRECT_BODY = 64 * 1024;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface Arrival {
  readonly answer: HttpAnswer;
  /** The origin that answered in the end is not the one that was asked. */
  readonly elsewhere: boolean;
}

/**
 * Sends a GET or HEAD and follows where it is sent. Once a step leads to another host, port or
 * scheme, credentials stay behind for all steps that follow.
 *
 * @throws TsimgError ERR_REGISTRY for a redirect from HTTPS to HTTP, to no web address, or for
 *   more than five
 */
export async function sendFollowing(transport: Transport, first: HttpRequest): Promise<Arrival> {
  let request = first;
  let elsewhere = false;
  for (let hops = 0; ; hops += 1) {
    const answer = await transport.send(request);
    const { location } = answer.headers;
    if (!REDIRECTS.has(answer.status) || location === undefined) return { answer, elsewhere };
    if (hops === MAX_REDIRECTS) {
      answer.close();
      throw new TsimgError("ERR_REGISTRY", `"${first.url.host}" redirects in a circle`);
    }
    const url = redirectTarget(location, request.url, answer);
    await readBody(answer, MAX_REDIRECT_BODY);
    elsewhere ||= url.origin !== request.url.origin;
    const { insecureTls, ...rest } = request;
    request = {
      ...rest,
      url,
      headers: elsewhere ? withoutCredentials(request.headers) : request.headers,
      ...(insecureTls && !elsewhere && { insecureTls }),
    };
  }
}

function redirectTarget(location: string, from: URL, answer: HttpAnswer): URL {
  const refuse = (flaw: string): TsimgError => {
    answer.close();
    const message = `"${from.host}" redirects to ${JSON.stringify(oneLine(location, 120))}, ${flaw}`;
    return new TsimgError("ERR_REGISTRY", message);
  };
  if (!URL.canParse(location, from)) throw refuse("which is no address");
  const url = new URL(location, from);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw refuse("which is no web address");
  if (from.protocol === "https:" && url.protocol === "http:") {
    throw refuse("which would give up encryption");
  }
  // Names and passwords in a redirect would become an Authorization of its own.
  url.username = "";
  url.password = "";
  url.hash = "";
  return url;
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.toLowerCase() !== "authorization"),
  );
}
