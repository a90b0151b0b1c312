import { join } from "node:path";
import type { CommandLine } from "./command-line.ts";
import { loadKept } from "./kept-code.ts";

/**
 * Commands of which the build makes one file each, with all that they load at once: reading
 * sixty chunks took a third of a start. They are those that people and scripts wait for most.
 */
export const ALONE: readonly string[] = ["run", "create", "start", "exec", "ps", "images"];

/** What such a file exports. */
interface AloneModule {
  /** The command on a plain line, see plain-line.ts. */
  readonly runLine: (line: CommandLine) => Promise<number | undefined>;
  /** Of that file, whose modules are not those of the whole program. */
  readonly beforeBecoming: (action: () => void) => void;
}

/** @returns undefined when the whole program must run the line; nothing was done then */
export async function runAlone(line: CommandLine): Promise<number | undefined> {
  // Where an error's trace is wanted, names are: these files have none.
  if (!ALONE.includes(line.name) || line.globals.debug === true) return undefined;
  const home = import.meta.dirname;
  const code = join(home, "cache", `${line.name}.code`);
  const { exports, keep } = loadKept(join(home, "alone", line.name, "all.cjs"), code);
  const { runLine, beforeBecoming } = exports as AloneModule;
  beforeBecoming(keep);
  const status = await runLine(line);
  keep();
  return status;
}
