interface Sample {
  readonly at: number;
  readonly bytes: number;
}

/** Over how long the average goes; the newest samples are kept this far apart. */
const WINDOW_MS = 1500;
const STEP_MS = 100;

/** What has been seen for less than this says nothing yet. */
const LEAST_MS = 300;

/** Bytes a second over the last one and a half seconds, from how far a transfer has come. */
export class SpeedMeter {
  private samples: Sample[] = [];
  private bytes = 0;

  /**
   * Tells that `bytes` in all are there at `at` (ms). The first is where counting starts: a
   * transfer that is resumed has not fetched them now.
   */
  record(at: number, bytes: number): void {
    if (bytes < this.bytes) this.samples = [];
    this.bytes = bytes;
    const last = this.samples.at(-1);
    if (last === undefined || at - last.at >= STEP_MS) this.samples.push({ at, bytes });
    this.forget(at);
  }

  /** Bytes a second; undefined while there is too little to tell. */
  rate(now: number): number | undefined {
    this.forget(now);
    const [first] = this.samples;
    if (first === undefined || now - first.at < LEAST_MS) return undefined;
    return ((this.bytes - first.bytes) * 1000) / (now - first.at);
  }

  /** Keeps one sample from before the window: the average starts there. */
  private forget(now: number): void {
    while ((this.samples[1]?.at ?? now) < now - WINDOW_MS) this.samples.shift();
  }
}
