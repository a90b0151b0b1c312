import { Unpacker } from "../layer/unpacker.ts";

/**
 * Unpack processes, some of them started ahead: a process takes as long to start as a
 * registry to answer, so both happen at once. Disposing kills them all.
 */
export class UnpackerPool implements Disposable {
  private readonly program: string;
  private readonly idle: Unpacker[] = [];
  private readonly busy = new Set<Unpacker>();

  constructor(program: string) {
    this.program = program;
  }

  startAhead(count: number): void {
    while (this.idle.length < count) this.idle.push(new Unpacker(this.program));
  }

  /** Runs `action` with a process of its own, which doesn't outlive it. */
  async use<T>(action: (unpacker: Unpacker) => Promise<T>): Promise<T> {
    using unpacker = this.idle.shift() ?? new Unpacker(this.program);
    this.busy.add(unpacker);
    try {
      return await action(unpacker);
    } finally {
      this.busy.delete(unpacker);
    }
  }

  [Symbol.dispose](): void {
    for (const unpacker of [...this.idle, ...this.busy]) unpacker[Symbol.dispose]();
    this.idle.length = 0;
  }
}
