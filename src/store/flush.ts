import { syncFileSystem } from "../sys/sync.ts";

/**
 * Waits until what was written before the call is on the disk.
 *
 * Calls that come while a flush runs share the next one: however many layers end at once,
 * the disk is asked twice at most.
 */
export class Flusher {
  private readonly directory: string;
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  /** @param directory anything on the file system that holds the store */
  constructor(directory: string) {
    this.directory = directory;
  }

  flush(): Promise<void> {
    if (this.running === undefined) {
      this.running = syncFileSystem(this.directory).finally(() => {
        this.running = undefined;
      });
      return this.running;
    }
    this.next ??= this.running.then(() => {
      this.next = undefined;
      return this.flush();
    });
    return this.next;
  }
}
