import { type ErrorCode, TsimgError } from "../sys/error.ts";
import { retryAfterMs } from "./retry-after.ts";
import { type HttpAnswer, readBody } from "./transport.ts";

/** A failure that another try may cure. `final` is what to throw when no try is left. */
export class RetryableError extends Error {
  readonly final: TsimgError;
  /** What the server asks to wait before the next try, in milliseconds. */
  readonly waitMs: number | undefined;

  constructor(final: TsimgError, waitMs?: number) {
    super(final.message, { cause: final });
    this.name = "RetryableError";
    this.final = final;
    this.waitMs = waitMs;
  }
}

const MAX_ERROR_BODY = 64 * 1024;
const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "ECONNABORTED",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EPIPE",
  "ETIMEDOUT",
]);

/** What a request is for, in an error's words. */
export interface Purpose {
  /** The subject, quoted: `manifest for "alpine:3.20"`. */
  readonly what: string;
  readonly registry: string;
  readonly repository: string;
  /** The code for 404. */
  readonly missing: ErrorCode;
}

/**
 * The error for an answer that is not what was hoped for: a `RetryableError` for 408, 429 and
 * 5xx, a `TsimgError` for all others. Reads the answer's body for the registry's own words.
 */
export async function statusError(answer: HttpAnswer, purpose: Purpose): Promise<Error> {
  const { status } = answer;
  const { registry, repository, what } = purpose;
  const words = await registryWords(answer);
  const said = words === "" ? "" : `: ${words}`;
  if (status === 404) {
    return new TsimgError(purpose.missing, `${what} not found${said}`, {
      hint: `check the name and the tag, and that registry "${registry}" is the right one`,
    });
  }
  if (status === 401 || status === 403) {
    return new TsimgError(
      "ERR_UNAUTHORIZED",
      `registry "${registry}" denies access to "${repository}"${said}`,
      {
        hint: `check that the repository exists, and log in where it is private: docker login ${registry}`,
      },
    );
  }
  const message = `registry "${registry}" answers ${status} for ${what}${said}`;
  if (status === 429) {
    const hint =
      "the registry limits how often it may be asked: wait, or log in for a higher limit";
    return retryable(answer, new TsimgError("ERR_REGISTRY", message, { hint }));
  }
  if (status >= 500 || status === 408) {
    const hint = "the registry is in trouble: try again later";
    return retryable(answer, new TsimgError("ERR_REGISTRY", message, { hint }));
  }
  return new TsimgError("ERR_REGISTRY", message);
}

function retryable(answer: HttpAnswer, final: TsimgError): RetryableError {
  return new RetryableError(final, retryAfterMs(answer.headers["retry-after"], Date.now()));
}

/** The error for a connection that could not be made, or broke. */
export function networkError(error: unknown, url: URL, registry: string): Error {
  if (error instanceof TsimgError || error instanceof RetryableError) return error;
  const code = errorCode(error);
  const [flaw, hint] = explain(code, error, url);
  const message = `registry "${registry}": ${flaw}`;
  const final = new TsimgError("ERR_REGISTRY", message, {
    cause: error,
    ...(hint !== undefined && { hint }),
  });
  return TRANSIENT_CODES.has(code) ? new RetryableError(final) : final;
}

function errorCode(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}

function explain(code: string, error: unknown, url: URL): [flaw: string, hint?: string] {
  const { host } = url;
  if (code === "ENOTFOUND") {
    return [`no address is known for "${url.hostname}"`, "check the name and the network"];
  }
  if (code === "ECONNREFUSED") {
    return [`"${host}" refuses the connection`, "check the port and that the registry is running"];
  }
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "EPROTO" || /packet.length/i.test(code)) {
    return [`"${host}" does not speak TLS`, "if it is meant to speak plain HTTP, use --plain-http"];
  }
  if (code.startsWith("HPE_")) {
    return [`"${host}" does not answer in HTTP`, "if it speaks HTTPS, leave out --plain-http"];
  }
  if (/CERT|SIGNATURE|SELF_SIGNED|ALTNAME/.test(code)) {
    const hint = "for a private authority set NODE_EXTRA_CA_CERTS to its certificate file";
    return [`the certificate of "${host}" is not trusted (${code})`, hint];
  }
  const message = error instanceof Error ? oneLine(error.message, 200) : "it failed";
  return [`connection to "${host}" failed: ${message}`];
}

/** What the registry says in its error body, fit for one line. @see OCI distribution-spec, "Error Codes" */
async function registryWords(answer: HttpAnswer): Promise<string> {
  try {
    const body = await readBody(answer, MAX_ERROR_BODY);
    const document: unknown = JSON.parse(body?.toString("utf8") ?? "");
    const errors = property(document, "errors");
    const words = (Array.isArray(errors) ? errors.slice(0, 3) : [])
      .map((entry) => property(entry, "message") || property(entry, "code"))
      .filter((text) => typeof text === "string");
    return oneLine(words.join("; "), 300);
  } catch {
    // Most errors have no such body; the status says enough then.
    return "";
  }
}

function property(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

/** Foreign text without what could move a terminal's cursor or break the line. */
export function oneLine(text: string, maxLength: number): string {
  const clean = text
    .slice(0, maxLength * 4)
    .replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim();
  return clean.length > maxLength ? `${clean.slice(0, maxLength)}…` : clean;
}
