import { readSync, writeSync, writevSync } from "node:fs";
import { TsimgError } from "../../sys/error.ts";
import { BLOCK, NO_BLOCK } from "./format.ts";

/** Bytes gathered before they are written. */
const GATHERED = 512 * 1024;
/** Pieces of this size are not copied first. */
const LARGE = 64 * 1024;

/** Appends to a file from some place on. What is skipped is left as it is: a hole, in a new file. */
export class BlockStream {
  private readonly fd: number;
  private readonly gathered = Buffer.allocUnsafeSlow(GATHERED);
  private fill = 0;
  private written: number;

  /** @param start in bytes */
  constructor(fd: number, start: number) {
    this.fd = fd;
    this.written = start;
  }

  /** Where the next byte goes. */
  get position(): number {
    return this.written + this.fill;
  }

  /**
   * The block that comes next: the stream is at its start.
   * @throws TsimgError ERR_LAYER_LIMIT beyond what 32 bits count
   */
  get block(): number {
    const block = this.position / BLOCK;
    if (block < NO_BLOCK) return block;
    throw new TsimgError("ERR_LAYER_LIMIT", "the layer is larger than an EROFS image can be", {
      hint: "16 TiB is the most, holes between the data of sparse files included: use another driver",
    });
  }

  write(bytes: Buffer): void {
    if (bytes.length >= LARGE) return this.writeLarge(bytes);
    let done = 0;
    while (done < bytes.length) {
      const count = bytes.copy(this.gathered, this.fill, done);
      this.fill += count;
      done += count;
      if (this.fill === GATHERED) this.flush();
    }
  }

  writeZeros(count: number): void {
    for (let left = count; left > 0; ) {
      const step = Math.min(left, GATHERED - this.fill);
      this.gathered.fill(0, this.fill, this.fill + step);
      this.fill += step;
      left -= step;
      if (this.fill === GATHERED) this.flush();
    }
  }

  /** Goes on `count` bytes further. */
  skip(count: number): void {
    if (count <= LARGE) return this.writeZeros(count);
    this.flush();
    this.written += count;
  }

  /** Goes on at the start of a block. */
  align(): void {
    const over = this.position % BLOCK;
    if (over > 0) this.writeZeros(BLOCK - over);
  }

  /** What is in the file at `position`. */
  read(position: number, count: number): Buffer {
    this.flush();
    const bytes = Buffer.alloc(count);
    return bytes.subarray(0, readSync(this.fd, bytes, 0, count, position));
  }

  flush(): void {
    const bytes = this.gathered.subarray(0, this.fill);
    this.fill = 0;
    this.put(bytes);
  }

  private writeLarge(bytes: Buffer): void {
    const gathered = this.gathered.subarray(0, this.fill);
    this.fill = 0;
    if (gathered.length === 0) return this.put(bytes);
    const count = writevSync(this.fd, [gathered, bytes], this.written);
    this.written += count;
    if (count < gathered.length) this.put(gathered.subarray(count));
    this.put(bytes.subarray(Math.max(0, count - gathered.length)));
  }

  private put(bytes: Buffer): void {
    for (let done = 0; done < bytes.length; ) {
      const count = writeSync(this.fd, bytes, done, bytes.length - done, this.written);
      done += count;
      this.written += count;
    }
  }
}
