import { readFileSync } from "node:fs";
import { outcomeOf, outputOf } from "../../../fixtures/command.ts";
import { residentOf } from "./measure.ts";
import { columns } from "./report.ts";
import type { Stage } from "./suites.ts";

/** Containers of each tool that wait at once. */
const COUNT = 20;
/** What they run; its own memory counts for no tool. */
const PROGRAM = "sleep";

export interface Waiting {
  readonly name: string;
  /** Kilobytes of all the tool's processes, without containers. */
  readonly restKb: number;
  /** What a container that waits adds to that. */
  readonly eachKb: number;
  /** Processes that it adds, besides its own. */
  readonly processes: number;
}

/** What twenty containers that wait take of each tool's processes' memory (PSS). */
export async function waitingContainers(
  { tools, tiny }: Stage,
  progress: (line: string) => void,
): Promise<readonly Waiting[]> {
  const results: Waiting[] = [];
  for (const { tool, group } of tools) {
    try {
      await outputOf(tool.pull(tiny.reference).argv);
      group.enter();
      const before = attendants(group.pids());
      const { totalKb: restKb } = residentOf(before);
      for (let index = 0; index < COUNT; index++)
        await outputOf(tool.detach(tiny.reference, [PROGRAM, "1000"]).argv);
      const after = attendants(group.pids());
      const { totalKb } = residentOf(after);
      const processes = (after.length - before.length) / COUNT;
      results.push({ name: tool.name, restKb, eachKb: (totalKb - restKb) / COUNT, processes });
    } catch (error) {
      progress(`${tool.name} is left out: ${(error as Error).message}`);
    } finally {
      const own = group.pids().filter((pid) => nameOf(pid) === PROGRAM);
      await outcomeOf(["kill", "-KILL", ...own.map(String)]);
    }
  }
  return results;
}

export function waitingLines(title: string, results: readonly Waiting[]): readonly string[] {
  const table = results.map(({ name, restKb, eachKb, processes }) => [
    name,
    `${eachKb.toFixed(0)} kB`,
    String(processes),
    `${restKb.toFixed(0)} kB`,
  ]);
  return [`\n${title}`, ...columns([["", "each", "processes", "without any"], ...table])];
}

function attendants(pids: readonly number[]): readonly number[] {
  return pids.filter((pid) => nameOf(pid) !== PROGRAM);
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return "";
  }
}
