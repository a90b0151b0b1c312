import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Change } from "../../../../fixtures/layers/change.ts";
import { layerTar } from "../../../../fixtures/layers/layer-tar.ts";
import { beginErofsLayer, openErofsLayer } from "../../../../src/layer/erofs/erofs-layer.ts";
import { LayerWriter } from "../../../../src/layer/layer-writer.ts";
import type { UpperTree } from "../../../../src/layer/stitch/upper-tree.ts";
import { TarParser } from "../../../../src/layer/tar/parser.ts";

/** A directory of its own in which the image of one layer is made. */
export class ImageOnDisk implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), "tsimg-erofs-"));
  readonly path = join(this.directory, "layer.erofs");
  readonly tree = join(this.directory, "layer.tree");

  /** The unpack process's half. @param piece bytes of the archive that come at once */
  unpack(changes: readonly Change[], piece = 100_000): void {
    const { target, finish } = beginErofsLayer(this.directory);
    const writer = new LayerWriter(target);
    const parser = new TarParser(writer);
    const tar = layerTar(changes);
    for (let at = 0; at < tar.length; at += piece) parser.push(tar.subarray(at, at + piece));
    parser.end();
    writer.finish();
    finish();
  }

  /** The parent's half. */
  complete(change: (upper: UpperTree) => void = () => {}) {
    using layer = openErofsLayer(this.directory);
    change(layer.upper);
    return layer.finish();
  }

  read(): Buffer {
    return existsSync(this.path) ? readFileSync(this.path) : Buffer.alloc(0);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
