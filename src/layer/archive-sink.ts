import { writeSync } from "node:fs";
import { DiskTarget } from "./disk-target.ts";
import { beginErofsLayer } from "./erofs/erofs-layer.ts";
import type { LayerTarget } from "./layer-target.ts";
import { LayerWriter } from "./layer-writer.ts";
import { OneOwner } from "./one-owner.ts";
import { NO_REMAINDER, type UnpackResult } from "./remainder.ts";
import type { TarLimits } from "./tar/limits.ts";
import { TarParser } from "./tar/parser.ts";

/** Takes an inflated archive, in its order. */
export interface ArchiveSink {
  /** `chunk` is lent for the call. */
  push(chunk: Buffer): void;
  finish(): Omit<UnpackResult, "diffId">;
}

/** Writes the archive's entries into the working directory, or an image there. */
export class LayerSink implements ArchiveSink {
  private readonly writer: LayerWriter;
  private readonly parser: TarParser;
  private readonly complete: () => void;

  /** @param complete called when the target has all that this process can give it */
  constructor(
    limits: TarLimits,
    target: LayerTarget,
    complete: () => void = () => {},
    oneOwner = false,
  ) {
    this.writer = new LayerWriter(target);
    this.parser = new TarParser(oneOwner ? new OneOwner(this.writer) : this.writer, limits);
    this.complete = complete;
  }

  /** @param oneOwner whether everything becomes root's */
  static onDisk(limits: TarLimits, oneOwner = false): LayerSink {
    return new LayerSink(limits, new DiskTarget(), () => {}, oneOwner);
  }

  /** An EROFS image, whose metadata is written once the layer's parent is there. */
  static intoImage(limits: TarLimits): LayerSink {
    const { target, finish } = beginErofsLayer();
    return new LayerSink(limits, target, finish);
  }

  push(chunk: Buffer): void {
    this.parser.push(chunk);
  }

  finish(): Omit<UnpackResult, "diffId"> {
    this.parser.end();
    const { writer } = this;
    const remainder = writer.finish();
    this.complete();
    return { bytes: writer.bytes, entries: writer.entries, remainder };
  }
}

/** Keeps the archive as it is, for another process to read. */
export class SpoolSink implements ArchiveSink {
  private readonly fd: number;
  private bytes = 0;

  constructor(fd: number) {
    this.fd = fd;
  }

  push(chunk: Buffer): void {
    for (let done = 0; done < chunk.length; )
      done += writeSync(this.fd, chunk, done, chunk.length - done, this.bytes + done);
    this.bytes += chunk.length;
  }

  finish(): Omit<UnpackResult, "diffId"> {
    return { bytes: this.bytes, entries: 0, remainder: NO_REMAINDER };
  }
}
