import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { TsimgError } from "../../src/sys/error.ts";
import { type ProgramOutcome, programOutcome } from "../../src/sys/run-program.ts";
import { ZFS_FUSE_SOCKET, zfsImplementation } from "./implementation.ts";

const FUSE_DIRECTORY = dirname(ZFS_FUSE_SOCKET);
/** A command takes a tenth of a second; one that destroys much, a few. */
const PATIENCE = 120_000;

/**
 * Runs a `zfs` or `zpool` command that may make a file system appear or go.
 *
 * On FUSE one after the other over the whole machine: zfs-fuse hands new mounts from one of
 * its threads to another through a pipe, and two at a time get mixed up, after which it
 * answers nobody until it is started anew. The command itself holds the lock, to its end, even
 * when we are killed.
 *
 * @throws TsimgError ERR_DRIVER when the daemon doesn't answer any more
 */
export function inTurn(argv: readonly string[], input = ""): ProgramOutcome {
  if (!existsSync(FUSE_DIRECTORY) || zfsImplementation() === "kernel")
    return programOutcome(argv, { input });
  try {
    const alone = ["flock", "--no-fork", FUSE_DIRECTORY, ...argv];
    return programOutcome(alone, { input, patience: PATIENCE });
  } catch (cause) {
    if (!(cause instanceof TsimgError) || !/did not end/.test(cause.message)) throw cause;
    throw new TsimgError("ERR_DRIVER", "the zfs-fuse daemon doesn't answer any more", {
      cause,
      hint: "stop it (kill -9) and start it again: zfs-fuse --enable-xattr; nothing is lost",
    });
  }
}
