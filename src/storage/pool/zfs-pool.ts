import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { TsimgError } from "../../sys/error.ts";
import { onHost } from "../../sys/host-namespace.ts";
import { programFailure, programOutcome, runProgram } from "../../sys/run-program.ts";
import type { Pool, PoolKeeper, PoolUsage } from "./pool.ts";

/** Where the kernel's implementation has a directory for every imported pool. */
const KERNEL_POOLS = "/proc/spl/kstat/zfs";

/**
 * A zpool on one file. It stands in no cache file, so that nothing imports it before the
 * store's own file system is mounted: tsimg does, when it needs it.
 */
export class ZfsPool implements PoolKeeper {
  readonly least = 64 << 20;
  readonly programs = ["zpool", "zfs"];

  files(pool: Pool): Readonly<Record<string, number>> {
    return { [pool.file]: pool.size };
  }

  format(pool: Pool): void {
    const properties = ["-o", "cachefile=none", "-O", "com.sun:auto-snapshot=false"];
    runProgram(onHost(["zpool", "create", ...properties, "-m", "none", pool.hostName, pool.file]));
  }

  isAttached({ hostName }: Pool): boolean {
    if (existsSync(KERNEL_POOLS)) return existsSync(`${KERNEL_POOLS}/${hostName}`);
    return zpoolExists(hostName);
  }

  attach(pool: Pool): void {
    const command = ["zpool", "import", "-d", dirname(pool.file)];
    const own = ["-o", "cachefile=none", pool.hostName];
    const outcome = programOutcome(onHost([...command, ...own]));
    if (outcome.status === 0) return;
    if (!outcome.stderr.includes("-f")) throw programFailure(command, outcome);
    throw new TsimgError("ERR_DRIVER", `pool '${pool.name}' was last used by another machine`, {
      hint: `if that is past: ${[...command, "-f", ...own].join(" ")}`,
    });
  }

  release(pool: Pool): void {
    if (zfsService() === undefined || !this.isAttached(pool)) return;
    const command = onHost(["zpool", "destroy", "-f", pool.hostName]);
    const outcome = programOutcome(command);
    if (outcome.status === 0) return;
    if (!outcome.stderr.includes("busy")) throw programFailure(command, outcome);
    throw new TsimgError("ERR_IN_USE", `pool '${pool.name}' is in use`, {
      hint: `a process works in one of its datasets: zfs list -r ${pool.hostName} shows where`,
    });
  }

  usage({ hostName }: Pool): PoolUsage {
    const names = "used,available";
    const text = runProgram(["zfs", "get", "-H", "-p", "-o", "value", names, hostName]);
    const [used = 0, available = 0] = text.trim().split("\n").map(Number);
    return { size: used + available, used };
  }
}

/** The parent of a pool's snapshots. */
export function datasetOf(pool: Pool): string {
  return `${pool.hostName}/tsimg`;
}

/** Which implementation of ZFS works on this machine right now. */
export function zfsService(): "kernel" | "fuse" | undefined {
  if (existsSync(KERNEL_POOLS) || existsSync("/sys/module/zfs")) return "kernel";
  return programOutcome(["zpool", "list", "-H", "-o", "name"]).status === 0 ? "fuse" : undefined;
}

export const ZFS_CURE =
  "start the daemon (service zfs-fuse start), or load the kernel's module (modprobe zfs)";

function zpoolExists(name: string): boolean {
  const command = ["zpool", "list", "-H", "-o", "name", name];
  const outcome = programOutcome(command);
  if (outcome.status === 0) return true;
  if (outcome.stderr.includes("no such pool")) return false;
  if (outcome.stderr.includes("daemon is running"))
    throw new TsimgError("ERR_DRIVER", "ZFS is not running on this machine", { hint: ZFS_CURE });
  throw programFailure(command, outcome);
}
