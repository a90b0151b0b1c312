import { spawnSync } from "node:child_process";
import { TsimgError } from "../../sys/error.ts";
import { withoutGroups } from "../cgroup/delegation.ts";
import { processesIn } from "../cgroup/group-files.ts";

/** What `ps` prints, as far as it is about a container. */
export interface ProcessTable {
  readonly titles: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const MEBIBYTE = 1024 * 1024;

/**
 * The container's processes as the host's `ps` shows them.
 *
 * @param options of `ps`; `-ef` when empty
 * @throws TsimgError ERR_USAGE when `ps` refuses them, or its output has no PID column;
 *   ERR_KERNEL when this machine has no `ps`
 */
export function listProcesses(
  cgroups: readonly string[],
  options: readonly string[],
): ProcessTable {
  if (cgroups.length === 0) throw withoutGroups("told from other processes");
  const args = options.length === 0 ? ["-ef"] : options;
  const ran = spawnSync("ps", args, { encoding: "utf8", maxBuffer: 256 * MEBIBYTE });
  if (ran.error !== undefined) {
    throw new TsimgError("ERR_KERNEL", "can't run ps", {
      cause: ran.error,
      hint: "install it: on Debian, it is in the package procps",
    });
  }
  if (ran.status !== 0) {
    const said = ran.stderr.split("\n").find((line) => line !== "") ?? `status ${ran.status}`;
    throw new TsimgError("ERR_USAGE", `ps ${args.join(" ")}: ${said}`, {
      hint: "what follows the container's name are options of ps, as in -o pid,comm",
    });
  }
  return selectProcesses(ran.stdout, new Set(processesIn(cgroups)));
}

/**
 * The lines of `ps` about some processes; the last column has the rest of a line.
 * @throws TsimgError ERR_USAGE
 */
export function selectProcesses(output: string, wanted: ReadonlySet<number>): ProcessTable {
  const [header = "", ...lines] = output.split("\n").filter((line) => line.trim() !== "");
  const titles = header.trim().split(/\s+/);
  const column = titles.indexOf("PID");
  if (column < 0) {
    throw new TsimgError("ERR_USAGE", "ps printed no column PID", {
      hint: "add it to the options: -o pid,…",
    });
  }
  const rows = lines.map((line) => splitLine(line, titles.length));
  return { titles, rows: rows.filter((row) => wanted.has(Number(row[column]))) };
}

function splitLine(line: string, columns: number): readonly string[] {
  const words = line.trim().split(/\s+/);
  const first = words.slice(0, columns - 1);
  const last = line.trim().match(new RegExp(`^(?:\\S+\\s+){${columns - 1}}(.*)$`))?.[1] ?? "";
  return [...first, last];
}
