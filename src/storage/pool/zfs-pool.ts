import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { inTurn } from "../../../drivers/zfs/fuse-turn.ts";
import { zfsImplementation } from "../../../drivers/zfs/implementation.ts";
import { patiently } from "../../../drivers/zfs/patience.ts";
import { TsimgError } from "../../sys/error.ts";
import { onHost } from "../../sys/host-namespace.ts";
import { programFailure, programOutcome, runProgram } from "../../sys/run-program.ts";
import { mountPointsBelow } from "../file-system.ts";
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

  requireWorking(): void {
    zfsImplementation();
  }

  files(pool: Pool): Readonly<Record<string, number>> {
    return { [pool.file]: pool.size };
  }

  format(pool: Pool): void {
    const properties = ["-o", "cachefile=none", "-O", "com.sun:auto-snapshot=false"];
    mkdirSync(pool.directory, { recursive: true, mode: 0o711 });
    const command = ["zpool", "create", ...properties, "-m", "none", pool.hostName, pool.file];
    const outcome = inTurn(onHost(command));
    if (outcome.status !== 0) throw programFailure(command, outcome);
  }

  isAttached({ hostName }: Pool): boolean {
    return zfsImplementation() === "kernel"
      ? existsSync(`${KERNEL_POOLS}/${hostName}`)
      : zpoolExists(hostName);
  }

  attach(pool: Pool): void {
    const command = [..."zpool import -d".split(" "), dirname(pool.file)];
    const own = ["-o", "cachefile=none", pool.hostName];
    const outcome = inTurn(onHost([...command, ...own]));
    if (outcome.status === 0) return;
    if (!outcome.stderr.includes("-f")) throw programFailure(command, outcome);
    throw new TsimgError("ERR_DRIVER", `pool '${pool.name}' was last used by another machine`, {
      hint: `if that is past: ${[...command, "-f", ...own].join(" ")}`,
    });
  }

  release(pool: Pool): void {
    if (isRunning() && this.isAttached(pool)) destroy(pool);
    // What the FUSE driver mounts on itself, so that the daemon's mounts are seen by all.
    for (const point of mountPointsBelow(pool.directory)) runProgram(onHost(["umount", point]));
  }

  usage({ hostName }: Pool): PoolUsage {
    const names = "used,available";
    const text = runProgram(["zfs", "get", "-H", "-p", "-o", "value", names, hostName]);
    const [used = 0, available = 0] = text.trim().split("\n").map(Number);
    return { size: used + available, used };
  }
}

function destroy(pool: Pool): void {
  const command = onHost(["zpool", "destroy", "-f", pool.hostName]);
  const done = patiently(() => {
    const outcome = inTurn(command);
    if (outcome.status === 0) return "done";
    if (/busy|umount failed/.test(outcome.stderr)) return "busy";
    throw programFailure(command, outcome);
  });
  if (done === "done") return;
  throw new TsimgError("ERR_IN_USE", `pool '${pool.name}' is in use`, {
    hint: `a process works in one of its datasets: zfs list -r ${pool.hostName} shows where`,
  });
}

/** Without ZFS, or with a daemon that has died, no pool is imported. */
function isRunning(): boolean {
  try {
    return zfsImplementation() === "kernel" || programOutcome(["zpool", "list"]).status === 0;
  } catch (error) {
    if (error instanceof TsimgError) return false;
    throw error;
  }
}

function zpoolExists(name: string): boolean {
  const command = ["zpool", "list", "-H", "-o", "name", name];
  const outcome = programOutcome(command);
  if (outcome.status === 0) return true;
  if (outcome.stderr.includes("no such pool")) return false;
  if (outcome.stderr.includes("daemon is running"))
    throw new TsimgError("ERR_DRIVER", "the zfs-fuse daemon is not running", {
      hint: "start it: zfs-fuse --enable-xattr",
    });
  throw programFailure(command, outcome);
}
