import { TsimgError } from "../../src/sys/error.ts";
import { type ProgramOutcome, programFailure, programOutcome } from "../../src/sys/run-program.ts";
import { poolOf } from "./dataset-name.ts";
import { inTurn } from "./fuse-turn.ts";

/** Commands that change nothing. */
const READING: ReadonlySet<string> = new Set(["list", "get", "holds", "version"]);

/**
 * Runs `zfs` with arguments of ours, never through a shell.
 * @throws TsimgError as `zfsFailure`
 */
export function zfs(args: readonly string[]): string {
  const outcome = tryZfs(args);
  if (outcome.status === 0) return outcome.stdout;
  throw zfsFailure(args, outcome);
}

/** As {@link zfs}, whatever the command's status. */
export function tryZfs(args: readonly string[], input = ""): ProgramOutcome {
  const [command = ""] = args;
  const argv = ["zfs", ...args];
  return READING.has(command) ? programOutcome(argv, { input }) : inTurn(argv, input);
}

/**
 * What to throw for a command that failed: ERR_NO_SPACE when its pool or a quota is full, else
 * ERR_DRIVER with the command and its last words.
 */
export function zfsFailure(args: readonly string[], outcome: ProgramOutcome): TsimgError {
  const cause = programFailure(["zfs", ...args], outcome);
  const dataset = args.at(-1) ?? "";
  if (/out of space|No space left/.test(outcome.stderr))
    return new TsimgError("ERR_NO_SPACE", `no space left in the ZFS pool '${poolOf(dataset)}'`, {
      cause,
      hint: "remove images or containers (tsimg rmi, tsimg rm), or add a device: zpool add",
    });
  if (/quota exceeded/i.test(outcome.stderr))
    return new TsimgError("ERR_NO_SPACE", `a quota above the dataset '${dataset}' is used up`, {
      cause,
      hint: "see which: zfs get -r quota,refquota; and raise it: zfs set quota=…",
    });
  return cause;
}

/**
 * Whether there is this dataset or snapshot.
 * @throws TsimgError ERR_DRIVER when its pool isn't imported
 */
export function hasDataset(name: string): boolean {
  if (tryZfs(["list", "-H", "-o", "name", name]).status === 0) return true;
  const pool = poolOf(name.split("@")[0] ?? name);
  const args = ["list", "-H", "-o", "name", pool];
  const outcome = tryZfs(args);
  if (outcome.status === 0) return false;
  const cause = zfsFailure(args, outcome);
  if (/daemon is running/.test(outcome.stderr))
    throw new TsimgError("ERR_DRIVER", "the zfs-fuse daemon is not running", {
      cause,
      hint: "start it: zfs-fuse --enable-xattr",
    });
  throw new TsimgError("ERR_DRIVER", `the ZFS pool '${pool}' is not there`, {
    cause,
    hint: `import it (zpool import ${pool}); a pool in a file: zpool import -d DIRECTORY ${pool}`,
  });
}
