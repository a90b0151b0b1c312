import { overLimit } from "./fault.ts";
import type { TarLimits } from "./limits.ts";

/** An extended header's content, while it comes in. */
export class ExtendedHeader {
  /** Its type flag. */
  readonly flag: number;
  readonly bytes: Buffer;
  #filled = 0;

  /** @throws TarFault when it is larger than the limit: it is kept whole */
  constructor(flag: number, size: number, limits: TarLimits) {
    if (size > limits.headerBytes) {
      throw overLimit(limits, "headerBytes", `extended header has ${size} bytes`);
    }
    this.flag = flag;
    this.bytes = Buffer.allocUnsafe(size);
  }

  get isWhole(): boolean {
    return this.#filled === this.bytes.length;
  }

  /** Takes what it lacks of `chunk` from `at`. @returns where that ends */
  take(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.bytes.length - this.#filled);
    this.#filled += chunk.copy(this.bytes, this.#filled, at, end);
    return end;
  }
}
