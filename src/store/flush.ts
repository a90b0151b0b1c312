import { statSync } from "node:fs";
import { syncFileSystem } from "../sys/sync.ts";

/**
 * Waits until what was written before the call is on the disk.
 *
 * Calls that come while a flush runs share the next one: however many layers end at once,
 * the disk is asked twice at most.
 */
export class Flusher {
  private readonly directories: readonly string[];
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  /** @param directories anything on each file system to flush; those not there are passed over */
  constructor(directories: readonly string[]) {
    this.directories = directories;
  }

  flush(): Promise<void> {
    if (this.running === undefined) {
      this.running = this.syncAll().finally(() => {
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

  private async syncAll(): Promise<void> {
    const byDevice = new Map<number, string>();
    for (const directory of this.directories) {
      const stat = statSync(directory, { throwIfNoEntry: false });
      if (stat !== undefined) byDevice.set(stat.dev, directory);
    }
    await Promise.all([...byDevice.values()].map(syncFileSystem));
  }
}
