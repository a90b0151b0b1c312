import { createRequire } from "node:module";
import type { CommandLine } from "./command-line.ts";

/**
 * Commands of which the build makes one file each, with all that they load at once: reading
 * sixty chunks took a third of a start. They are those that people and scripts wait for most.
 */
export const ALONE: readonly string[] = ["run", "create", "start", "exec", "ps", "images"];

/** What such a file exports: the command on a plain line, see plain-line.ts. */
export interface AloneModule {
  readonly runLine: (line: CommandLine) => Promise<number | undefined>;
}

/** The file's name without its suffix, beside that of the whole program. */
export function aloneName(command: string): string {
  return `tsimg-${command}`;
}

/** @returns undefined when the whole program must run the line; nothing was done then */
export async function runAlone(line: CommandLine): Promise<number | undefined> {
  if (!ALONE.includes(line.name)) return undefined;
  const load = createRequire(import.meta.url);
  const module = load(`./${aloneName(line.name)}.cjs`) as AloneModule;
  return await module.runLine(line);
}
