import type { Descriptor } from "../oci/descriptor.ts";
import { MAX_MANIFEST_SIZE } from "../oci/manifest.ts";
import { formatReference, type Reference } from "../oci/reference.ts";
import { TsimgError } from "../sys/error.ts";
import { type CredentialSource, NO_CREDENTIALS } from "./credentials.ts";
import { type BlobSink, type DownloadOptions, downloadOnce } from "./download.ts";
import { networkError, type Purpose, statusError } from "./failure.ts";
import { gotTransport } from "./http.ts";
import {
  describeBody,
  describeHead,
  digestMismatch,
  type FetchedManifest,
  MANIFEST_HEADERS,
  manifestPurpose,
} from "./manifest-answer.ts";
import { sendFollowing } from "./redirect.ts";
import { DEFAULT_RETRY, type RetryPolicy, retrying } from "./retry.ts";
import { RegistrySession } from "./session.ts";
import { type HttpAnswer, readBody, type Transport } from "./transport.ts";

export interface RegistryClientOptions {
  /** Speak plain HTTP to every registry, not only to those on this machine. */
  readonly plainHttp?: boolean;
  /** Nobody is named when left out. */
  readonly credentials?: CredentialSource;
  readonly userAgent: string;
  /** Ends every request of this client. */
  readonly signal?: AbortSignal;
  readonly retry?: Partial<RetryPolicy>;
  /** Silence in a download that counts as a broken connection, in milliseconds. */
  readonly stallMs?: number;
}

/**
 * Reads images from registries.
 *
 * All methods try again, with growing waits, when the connection breaks or the registry is in
 * trouble, and throw `TsimgError`: ERR_UNAUTHORIZED, ERR_MANIFEST_UNKNOWN, ERR_DIGEST_MISMATCH,
 * ERR_SIZE_MISMATCH, or ERR_REGISTRY for all else; once `signal` is aborted, its reason.
 *
 * @see OCI distribution-spec 1.1, "Pull"
 */
export class RegistryClient {
  readonly #options: RegistryClientOptions;
  readonly #transport: Transport;
  readonly #retry: RetryPolicy;
  readonly #sessions = new Map<string, RegistrySession>();
  readonly #never = new AbortController().signal;

  constructor(options: RegistryClientOptions) {
    this.#options = options;
    this.#transport = gotTransport();
    this.#retry = { ...DEFAULT_RETRY, ...options.retry };
  }

  /** Closes connections that are kept open for further requests. */
  [Symbol.dispose](): void {
    this.#transport.close();
  }

  /**
   * What the reference names now. Costs one HEAD; the digest of a tag is the registry's claim,
   * which `fetchManifest` verifies.
   */
  async resolve(reference: Reference, signal?: AbortSignal): Promise<Descriptor> {
    const name = reference.digest ?? reference.tag ?? "latest";
    const purpose = manifestPurpose(reference);
    const described = await this.#retrying(signal, async (combined) => {
      const path = `/v2/${reference.repository}/manifests/${name}`;
      const answer = await this.#request("HEAD", reference, path, MANIFEST_HEADERS, combined);
      if (answer.status === 405) {
        answer.close();
        return undefined;
      }
      if (answer.status !== 200) throw await statusError(answer, purpose);
      await this.#drain(answer, reference, combined);
      return describeHead(answer, reference);
    });
    if (described === undefined) {
      return (await this.fetchManifest(reference, name, signal)).descriptor;
    }
    if (reference.digest !== undefined && described.digest !== reference.digest) {
      throw digestMismatch(purpose.what, reference.digest, described.digest);
    }
    return described;
  }

  /**
   * @param name a digest, which the bytes must have, or a tag
   */
  async fetchManifest(
    reference: Reference,
    name: string,
    signal?: AbortSignal,
  ): Promise<FetchedManifest> {
    const purpose = manifestPurpose(reference);
    return this.#retrying(signal, async (combined) => {
      const path = `/v2/${reference.repository}/manifests/${name}`;
      const answer = await this.#request("GET", reference, path, MANIFEST_HEADERS, combined);
      if (answer.status !== 200) throw await statusError(answer, purpose);
      const bytes = await this.#drain(answer, reference, combined);
      if (bytes === undefined) {
        throw new TsimgError(
          "ERR_MANIFEST_INVALID",
          `${purpose.what} is larger than ${MAX_MANIFEST_SIZE} bytes`,
        );
      }
      return describeBody(bytes, answer, name, purpose.what);
    });
  }

  /**
   * Fetches what `sink` lacks of a blob, and returns when the sink has all of its bytes. When it
   * fails the sink keeps what came: another call continues there.
   */
  async downloadBlob(
    reference: Reference,
    descriptor: Descriptor,
    sink: BlobSink,
    signal?: AbortSignal,
  ): Promise<void> {
    const path = `/v2/${reference.repository}/blobs/${descriptor.digest}`;
    const purpose: Purpose = {
      what: `blob ${descriptor.digest} of "${formatReference(reference)}"`,
      registry: reference.registry,
      repository: reference.repository,
      missing: "ERR_REGISTRY",
    };
    try {
      await this.#download(purpose, descriptor, sink, signal, (headers, combined) =>
        this.#request("GET", reference, path, headers, combined),
      );
    } catch (error) {
      // Layers that must not be pushed lie elsewhere, and seldom in the registry.
      const urls = (descriptor.urls ?? []).filter((url) => isHttpsUrl(url));
      if (urls.length === 0 || !(error instanceof TsimgError)) throw error;
      await this.#downloadElsewhere(urls, purpose, descriptor, sink, signal);
    }
  }

  async #downloadElsewhere(
    urls: readonly string[],
    purpose: Purpose,
    descriptor: Descriptor,
    sink: BlobSink,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    let failure: unknown;
    for (const text of urls) {
      const url = new URL(text);
      const place = { ...purpose, registry: url.host };
      try {
        return await this.#download(place, descriptor, sink, signal, async (headers, combined) => {
          const request = {
            method: "GET" as const,
            url,
            headers: { ...headers, "user-agent": this.#options.userAgent },
            signal: combined,
          };
          return (await sendFollowing(this.#transport, request)).answer;
        });
      } catch (error) {
        if (!(error instanceof TsimgError)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  async #download(
    purpose: Purpose,
    descriptor: Descriptor,
    sink: BlobSink,
    signal: AbortSignal | undefined,
    send: (headers: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<HttpAnswer>,
  ): Promise<void> {
    const combined = this.#signal(signal);
    const options: DownloadOptions = {
      descriptor,
      sink,
      registry: purpose.registry,
      signal: combined,
      ...(this.#options.stallMs !== undefined && { stallMs: this.#options.stallMs }),
      ask: async (headers) => {
        const answer = await send(headers, combined).catch((error: unknown) => {
          combined.throwIfAborted();
          throw networkError(error, new URL(`https://${purpose.registry}/`), purpose.registry);
        });
        const { status } = answer;
        if (status === 200 || status === 206 || status === 416) return answer;
        throw await statusError(answer, purpose);
      },
    };
    let ranges = true;
    const attempt = async (): Promise<void> => {
      while ((await downloadOnce(options, ranges)) !== "complete") ranges = false;
    };
    await retrying(this.#retry, combined, attempt, () => sink.offset);
  }

  #request(
    method: "GET" | "HEAD",
    reference: Reference,
    path: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { registry, repository } = reference;
    let session = this.#sessions.get(registry);
    if (session === undefined) {
      session = new RegistrySession({
        registry,
        transport: this.#transport,
        credentials: this.#options.credentials ?? NO_CREDENTIALS,
        userAgent: this.#options.userAgent,
        plainHttp: this.#options.plainHttp ?? false,
      });
      this.#sessions.set(registry, session);
    }
    return session.request({ method, path, repository, headers, signal });
  }

  async #drain(
    answer: HttpAnswer,
    { registry }: Reference,
    signal: AbortSignal,
  ): Promise<Buffer | undefined> {
    try {
      return await readBody(answer, MAX_MANIFEST_SIZE);
    } catch (error) {
      signal.throwIfAborted();
      throw networkError(error, new URL(`https://${registry}/`), registry);
    }
  }

  #retrying<T>(
    signal: AbortSignal | undefined,
    attempt: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const combined = this.#signal(signal);
    return retrying(this.#retry, combined, () => attempt(combined));
  }

  #signal(signal: AbortSignal | undefined): AbortSignal {
    const signals = [signal, this.#options.signal].filter((each) => each !== undefined);
    const [only = this.#never] = signals;
    return signals.length > 1 ? AbortSignal.any(signals) : only;
  }
}

function isHttpsUrl(text: string): boolean {
  return URL.canParse(text) && new URL(text).protocol === "https:";
}
