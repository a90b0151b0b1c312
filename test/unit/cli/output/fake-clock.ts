import type { Clock } from "../../../../src/cli/output/clock.ts";

/** A clock that goes only when told to. */
export class FakeClock implements Clock {
  private time = 1_000_000;
  private readonly pending = new Set<{ readonly due: number; readonly action: () => void }>();

  now(): number {
    return this.time;
  }

  after(ms: number, action: () => void): () => void {
    const entry = { due: this.time + ms, action };
    this.pending.add(entry);
    return () => this.pending.delete(entry);
  }

  get waiting(): number {
    return this.pending.size;
  }

  advance(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const [next] = [...this.pending].sort((a, b) => a.due - b.due);
      if (next === undefined || next.due > end) break;
      this.pending.delete(next);
      this.time = next.due;
      next.action();
    }
    this.time = end;
  }
}
