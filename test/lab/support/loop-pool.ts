import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deactivateThinPool, type ThinPool } from "../../../drivers/devicemapper/thin-pool.ts";
import { runProgram } from "../../../src/sys/run-program.ts";

export interface LoopPool extends Disposable {
  readonly pool: ThinPool;
  /** The file of the data device, sparse. */
  readonly file: string;
  /** A directory for the drivers of the pool. */
  readonly directory: string;
}

/** Devices for a thin pool, in files, blank; disposing deactivates the pool. */
export function loopPool(
  name: string,
  bytes: { readonly data: number; readonly metadata?: number },
): LoopPool {
  const directory = mkdtempSync(join(tmpdir(), "tsimg-thin-"));
  const attach = (file: string, size: number) => {
    writeFileSync(file, "");
    truncateSync(file, size);
    return runProgram(["losetup", "--find", "--show", file]).trim();
  };
  const file = join(directory, "data");
  const data = attach(file, bytes.data);
  const metadata = attach(join(directory, "metadata"), bytes.metadata ?? 16 << 20);
  return {
    pool: { name, metadata, data },
    file,
    directory,
    [Symbol.dispose]() {
      deactivateThinPool(name);
      runProgram(["losetup", "--detach", data, metadata]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
