import { existsSync } from "node:fs";
import { TsimgError } from "../../src/sys/error.ts";
import { lockFile } from "../../src/sys/file-lock.ts";
import { type ProgramOutcome, programOutcome } from "../../src/sys/run-program.ts";
import { zfsImplementation } from "./implementation.ts";

/** Where the daemon has its socket. */
const FUSE_DIRECTORY = "/var/run/zfs";
/** A command takes a tenth of a second; one that destroys much, a few. */
const PATIENCE = 120_000;

/**
 * Runs a `zfs` or `zpool` command that may make a file system appear or go.
 *
 * On FUSE one after the other over the whole machine: zfs-fuse hands new mounts from one of
 * its threads to another through a pipe, and two at a time get mixed up, after which it
 * mounts nothing more until it is started anew.
 *
 * @throws TsimgError ERR_DRIVER when the daemon doesn't answer any more
 */
export function inTurn(argv: readonly string[], input = ""): ProgramOutcome {
  if (!existsSync(FUSE_DIRECTORY) || zfsImplementation() === "kernel")
    return programOutcome(argv, { input });
  using _turn = lockFile(FUSE_DIRECTORY);
  try {
    return programOutcome(argv, { input, patience: PATIENCE });
  } catch (cause) {
    if (!(cause instanceof TsimgError) || !/did not end/.test(cause.message)) throw cause;
    throw new TsimgError("ERR_DRIVER", "the zfs-fuse daemon doesn't answer any more", {
      cause,
      hint: "stop it (kill -9) and start it again: zfs-fuse --enable-xattr; nothing is lost",
    });
  }
}
