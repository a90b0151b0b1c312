import { lstatSync, mkdirSync, readdirSync, readFileSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { onHost } from "../../sys/host-namespace.ts";
import { programFailure, programOutcome, runProgram } from "../../sys/run-program.ts";
import type { Pool, PoolKeeper, PoolUsage } from "./pool.ts";

const MiB = 1 << 20;

type LoopKind = "btrfs" | "xfs" | "ext4";

/** What a file system needs that is made in a file and mounted through a loop device. */
interface Flavour {
  readonly least: number;
  readonly format: readonly string[];
  /** Blocks that are freed inside are freed in the file, too: it stays sparse. */
  readonly mountOptions: string;
}

const FLAVOURS: Readonly<Record<LoopKind, Flavour>> = {
  btrfs: {
    least: 128 * MiB,
    format: ["mkfs.btrfs", "--quiet"],
    mountOptions: "noatime,discard=async",
  },
  xfs: {
    least: 300 * MiB,
    format: ["mkfs.xfs", "-q", "-m", "reflink=1"],
    mountOptions: "noatime,discard",
  },
  ext4: {
    least: 32 * MiB,
    // No share is kept for root, who is the only one that writes here.
    format: ["mkfs.ext4", "-q", "-F", "-m", "0"],
    mountOptions: "noatime,discard",
  },
};

/**
 * A btrfs, xfs or ext4 in a file, mounted at the pool's directory. The loop device is freed by the
 * kernel when the mount ends, or when mount(8) dies before: nothing of it can stay behind.
 */
export class LoopPool implements PoolKeeper {
  readonly least: number;
  readonly programs: readonly string[];
  private readonly kind: LoopKind;
  private readonly flavour: Flavour;

  constructor(kind: LoopKind) {
    this.kind = kind;
    this.flavour = FLAVOURS[kind];
    this.least = this.flavour.least;
    this.programs = [`mkfs.${kind}`, "mount", "umount"];
  }

  files(pool: Pool): Readonly<Record<string, number>> {
    return { [pool.file]: pool.size };
  }

  format(pool: Pool, options: readonly string[]): void {
    runProgram([...this.flavour.format, ...options, pool.file]);
    this.attach(pool);
  }

  isAttached({ directory }: Pool): boolean {
    const own = tolerating(["ENOENT"], () => lstatSync(directory));
    return own !== undefined && own.dev !== lstatSync(dirname(directory)).dev;
  }

  attach(pool: Pool): void {
    mkdirSync(pool.directory, { recursive: true, mode: 0o711 });
    const type = ["-t", this.kind];
    const options = this.flavour.mountOptions;
    runProgram(onHost(["mount", ...type, "-o", `loop,${options}`, pool.file, pool.directory]));
    if (this.isAttached(pool)) return;
    // This thread is in a mount namespace of its own, which that mount doesn't reach: the
    // same device once more is the same file system.
    const device = loopDeviceOf(pool.file);
    if (device === undefined)
      throw new TsimgError("ERR_DRIVER", `pool '${pool.name}' was mounted and is not there`);
    runProgram(["mount", ...type, "-o", options, device, pool.directory]);
  }

  release(pool: Pool): void {
    if (!this.isAttached(pool)) return;
    const command = onHost(["umount", pool.directory]);
    const outcome = programOutcome(command);
    if (outcome.status === 0) return;
    if (!outcome.stderr.includes("busy")) throw programFailure(command, outcome);
    throw new TsimgError("ERR_IN_USE", `pool '${pool.name}' is in use`, {
      hint: `a process works in ${pool.directory}: fuser -vm ${pool.directory} names it`,
    });
  }

  usage(pool: Pool): PoolUsage {
    const facts = statfsSync(pool.directory);
    const size = facts.blocks * facts.bsize;
    const inodes = { size: facts.files, used: facts.files - facts.ffree };
    return {
      size,
      used: size - facts.bfree * facts.bsize,
      ...(facts.files > 0 && { inodes }),
    };
  }
}

/** The loop device that a file is attached to. */
export function loopDeviceOf(file: string): string | undefined {
  const name = readdirSync("/sys/block").find((each) => {
    if (!each.startsWith("loop")) return false;
    const backing = tolerating(["ENOENT", "ENXIO"], () =>
      readFileSync(`/sys/block/${each}/loop/backing_file`, "utf8"),
    );
    return backing?.trimEnd() === file;
  });
  return name === undefined ? undefined : `/dev/${name}`;
}
