import type { ContentStore } from "../content/content-store.ts";
import type { Ingest } from "../content/ingest.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Reference } from "../oci/reference.ts";
import type { RegistryClient } from "../registry/client.ts";

/** Where blobs come from. */
export type BlobSource = Pick<RegistryClient, "downloadBlob">;

export type DownloadState = "waiting" | "downloading" | "complete";

/**
 * One blob on its way into the store, with readers that follow it: an unpack process reads
 * the file while it grows.
 */
export class BlobDownload implements Disposable {
  readonly descriptor: Descriptor;
  /** Where the bytes can be read, once `begin` is done. */
  path = "";
  state: DownloadState = "waiting";
  available = 0;
  /** Whether it was in the store before. */
  wasHere = false;
  /** Called whenever more has come. */
  readonly followers: ((available: number, last: boolean) => void)[] = [];
  private readonly content: ContentStore;
  private readonly beginning = Promise.withResolvers<void>();
  private ingest: Ingest | undefined;
  private isPublished = false;

  constructor(content: ContentStore, descriptor: Descriptor) {
    this.content = content;
    this.descriptor = descriptor;
    // Whoever waits for it hears of a failure; nobody has to.
    this.beginning.promise.catch(() => {});
  }

  /** Kept once it is known where the bytes are. */
  get begun(): Promise<void> {
    return this.beginning.promise;
  }

  /** Whether it is complete here but not yet a blob of the store. */
  get unpublished(): boolean {
    return this.state === "complete" && this.ingest !== undefined && !this.isPublished;
  }

  /** Nobody need wait for it to begin any more. */
  fail(error: unknown): void {
    this.beginning.reject(error);
  }

  /** Finds out who fetches the blob: nobody (it is here), another process, or this one. */
  async begin(signal: AbortSignal, onBusy: () => void): Promise<void> {
    await this.locate(signal, onBusy);
    this.beginning.resolve();
  }

  private async locate(signal: AbortSignal, onBusy: () => void): Promise<void> {
    const { digest, size } = this.descriptor;
    this.content.dropDamaged(digest);
    if (this.content.size(digest) !== undefined) this.wasHere = true;
    else this.ingest = await this.content.ingest(digest, size, signal, onBusy);
    if (this.ingest === undefined) {
      this.path = this.content.path(digest);
      this.arrived(size);
    } else {
      this.path = this.ingest.sharedPath;
      this.state = "downloading";
      this.arrived(this.ingest.offset);
    }
  }

  /** Fetches what is missing, and verifies all of it. */
  async finish(client: BlobSource, reference: Reference, signal: AbortSignal): Promise<void> {
    const { ingest } = this;
    if (ingest !== undefined) {
      const sink = {
        get offset() {
          return ingest.offset;
        },
        write: (chunk: Buffer) => {
          ingest.write(chunk);
          this.arrived(ingest.offset);
        },
        restart: () => ingest.restart(),
      };
      await client.downloadBlob(reference, this.descriptor, sink, signal);
      ingest.verify();
    }
    this.state = "complete";
    this.arrived(this.descriptor.size);
  }

  /** Enters the blob into the store. It is verified and on the disk by now. */
  publish(): void {
    if (this.unpublished) this.ingest?.publish();
    this.isPublished = true;
  }

  /** Nothing of it is of use to a next attempt. */
  discard(): void {
    this.ingest?.discard();
  }

  [Symbol.dispose](): void {
    this.ingest?.[Symbol.dispose]();
  }

  private arrived(available: number): void {
    this.available = available;
    const last = available === this.descriptor.size;
    for (const follower of this.followers) follower(available, last);
  }
}
