import { closeSync, openSync, readFileSync } from "node:fs";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { sleep } from "../../sys/sleep.ts";
import type { ExitRecord } from "./container.ts";
import type { ContainerStore } from "./container-store.ts";
import { keptExit, parseKeptExit } from "./launch-records.ts";

/** Milliseconds between two looks. */
const POLL = 20;

/**
 * Waits until a container has ended and answers its exit status; at once when it has.
 *
 * @throws TsimgError ERR_NO_SUCH_CONTAINER when it was removed and its launcher left no record
 */
export async function waitForEnd(
  containers: ContainerStore,
  name: string,
  signal: AbortSignal,
): Promise<number> {
  const { row } = containers.existing(name);
  const isRemoved = row.auto_remove === 1;
  using record = isRemoved
    ? new HeldRecord(keptExit(containers.stateDirectory(row.id)))
    : undefined;
  for (;;) {
    record?.hold();
    const state = containers.find(row.id)?.state;
    if (state?.status === "exited") return state.exit.exitCode;
    // As with docker: what doesn't run has nothing to be waited for.
    if (state?.status === "created" && !state.starting) return 0;
    if (state === undefined) {
      const exit = record?.read();
      if (exit !== undefined) return exit.exitCode;
      throw new TsimgError(
        "ERR_NO_SUCH_CONTAINER",
        `container '${row.name}' was removed as it ended: its exit status is not known`,
      );
    }
    await sleep(POLL, signal);
  }
}

/** The kept record of a container with `--rm`, held open: somebody else may remove it. */
class HeldRecord implements Disposable {
  private readonly path: string;
  private file: number | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** Once it is there: a container that is being started may have none yet. */
  hold(): void {
    this.file ??= tolerating(["ENOENT"], () => openSync(this.path, "r"));
  }

  read(): ExitRecord | undefined {
    return this.file === undefined ? undefined : parseKeptExit(readFileSync(this.file, "utf8"));
  }

  [Symbol.dispose](): void {
    if (this.file !== undefined) closeSync(this.file);
  }
}
