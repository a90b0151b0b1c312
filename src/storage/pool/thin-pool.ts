import { existsSync, mkdirSync } from "node:fs";
import { isActive } from "../../../drivers/devicemapper/dmsetup.ts";
import { thinNames } from "../../../drivers/devicemapper/thin-names.ts";
import {
  activateThinPool,
  createThinPool,
  deactivateThinPool,
  type ThinPool,
  thinMetadataSize,
  thinPoolStatus,
} from "../../../drivers/devicemapper/thin-pool.ts";
import { TsimgError } from "../../sys/error.ts";
import { onHost } from "../../sys/host-namespace.ts";
import { programOutcome, runProgram } from "../../sys/run-program.ts";
import { loopDeviceOf } from "./loop-pool.ts";
import type { Pool, PoolKeeper, PoolUsage } from "./pool.ts";

/**
 * A thin pool of device-mapper on the loop devices of two files. The devices stay until the
 * pool is taken away; those that a crash left are used again, found by their files.
 */
export class ThinPoolFiles implements PoolKeeper {
  readonly least = 64 << 20;
  readonly programs = ["dmsetup", "losetup", "thin_check", "mkfs.ext4"];

  requireWorking(): void {
    const { status, stderr } = programOutcome(["dmsetup", "version"]);
    if (status === 0) return;
    const [reason = ""] = stderr.trim().split("\n");
    throw new TsimgError("ERR_DRIVER", `device-mapper does not work on this machine: ${reason}`, {
      hint: "modprobe dm_thin_pool, or a kernel that has it",
    });
  }

  files(pool: Pool): Readonly<Record<string, number>> {
    return { [pool.file]: pool.size, [metadataFile(pool)]: thinMetadataSize(pool.size) };
  }

  format(pool: Pool): void {
    mkdirSync(pool.directory, { recursive: true, mode: 0o711 });
    createThinPool(withDevices(pool));
  }

  isAttached(pool: Pool): boolean {
    return isActive(thinNames(nameOf(pool)).pool);
  }

  attach(pool: Pool): void {
    activateThinPool(withDevices(pool));
  }

  release(pool: Pool): void {
    deactivateThinPool(nameOf(pool));
    for (const file of Object.keys(this.files(pool))) {
      const device = findLoopDevice(file);
      if (device !== undefined) runProgram(["losetup", "--detach", device]);
    }
  }

  usage(pool: Pool): PoolUsage {
    const { data } = thinPoolStatus(nameOf(pool)) ?? { data: { total: pool.size, used: 0 } };
    return { size: data.total, used: data.used };
  }
}

/** A pool as its driver takes it. Its files get loop devices when they have none. */
export function withDevices(pool: Pool): ThinPool {
  const [metadata, data] = [metadataFile(pool), pool.file].map(
    (file) => findLoopDevice(file) ?? attachLoopDevice(file),
  ) as [string, string];
  return { name: nameOf(pool), metadata, data };
}

/** By its path; by its inode when the mount through which it was attached is gone. */
function findLoopDevice(file: string): string | undefined {
  const named = loopDeviceOf(file);
  if (named !== undefined || !existsSync(file)) return named;
  const found = runProgram(["losetup", "--associated", file, "--noheadings", "--output", "NAME"]);
  return found
    .trim()
    .split("\n")
    .find((device) => device !== "");
}

function attachLoopDevice(file: string): string {
  try {
    // A device of a private mount namespace could not be found by its file's path later on.
    return runProgram(onHost(["losetup", "--find", "--show", file])).trim();
  } catch (cause) {
    throw new TsimgError("ERR_DRIVER", `can't make a block device of '${file}'`, {
      cause,
      hint: existsSync("/sys/module/loop") ? "see losetup -a" : "modprobe loop",
    });
  }
}

function metadataFile(pool: Pool): string {
  return `${pool.file}.meta`;
}

/** The driver sets `tsimg-` before it by itself. */
function nameOf(pool: Pool): string {
  return pool.hostName.replace(/^tsimg-/, "");
}
