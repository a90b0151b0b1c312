import type { RunFlags } from "../../runtime/run-flags.ts";
import type { Command } from "../command.ts";
import { each, NONE } from "./each.ts";
import { lifecycleOptions } from "./lifecycle.ts";
import { limitOptions } from "./limits.ts";
import { mountOptions } from "./mounts.ts";

/** The flags of `run` and `create` as the command line has them. */
export interface ContainerFlags
  extends Omit<RunFlags, "command" | "detach" | "storage" | "noHealthcheck"> {
  readonly healthcheck: boolean;
  readonly driver?: string;
  readonly storageOpt: readonly string[];
}

/** All options that decide on a container, however it is started. */
export function containerOptions(command: Command): Command {
  return lifecycleOptions(
    mountOptions(limitOptions(command))
      .option("--rm", "remove the container when it ends", false)
      .option("-i, --interactive", "connect the container's standard input", false)
      .option("-t, --tty", "give the container a terminal", false)
      .option("--name <name>", "name of the container")
      .option("-e, --env <name=value>", "set an environment variable", each, NONE)
      .option("--env-file <file>", "set environment variables from a file", each, NONE)
      .option("-w, --workdir <dir>", "working directory in the container")
      .option("-u, --user <name|uid[:group|gid]>", "user to run as")
      .option("--read-only", "make the root file system read-only", false)
      .option("-h, --hostname <name>", "host name in the container")
      .option("--entrypoint <program>", "replaces the image's entrypoint")
      .option("--network <mode>", "none (default) or host")
      .option("--privileged", "all capabilities, all devices, nothing hidden", false)
      .option("--cap-add <name>", "give a capability", each, NONE)
      .option("--cap-drop <name>", "take a capability", each, NONE)
      .option(
        "--security-opt <option>",
        "no-new-privileges, seccomp=unconfined, seccomp=FILE",
        each,
        NONE,
      )
      .option("--init", "put an init process in front that reaps and forwards signals", false)
      .option("--driver <name[:pool]>", "storage driver (TSIMG_DRIVER)")
      .option("--storage-opt <key=value>", "what the driver shall do, e.g. size=10G", each, NONE),
  );
}

/** What the runtime wants to know of a command line. */
export function runFlagsOf(
  flags: ContainerFlags,
  words: readonly string[],
  storage: RunFlags["storage"],
  detach: boolean,
): RunFlags {
  const { healthcheck, ...rest } = flags;
  return { ...rest, detach, noHealthcheck: !healthcheck, storage, command: words };
}
