import type { RunFlags } from "../../runtime/run-flags.ts";
import type { Command } from "../command.ts";
import { each, NONE } from "./each.ts";
import { lifecycleOptions } from "./lifecycle.ts";
import { limitOptions } from "./limits.ts";
import { mountOptions } from "./mounts.ts";
import { networkOptions } from "./network.ts";
import { securityOptions } from "./security.ts";
import { usernsOptions } from "./userns.ts";

/** The flags of `run` and `create` as the command line has them. */
export interface ContainerFlags
  extends Omit<RunFlags, "command" | "detach" | "storage" | "noHealthcheck"> {
  readonly healthcheck: boolean;
  readonly driver?: string;
  readonly storageOpt: readonly string[];
}

/** All options that decide on a container, however it is started. */
export function containerOptions(command: Command): Command {
  command
    .option("--rm", "remove the container when it ends", false)
    .option("-i, --interactive", "connect the container's standard input", false)
    .option("-t, --tty", "give the container a terminal", false)
    .option("--name <name>", "name of the container")
    .option("-e, --env <name=value>", "set an environment variable", each, NONE)
    .option("--env-file <file>", "set environment variables from a file", each, NONE)
    .option("-w, --workdir <dir>", "working directory in the container")
    .option("-u, --user <name|uid[:group|gid]>", "user to run as")
    .option("--entrypoint <program>", "replaces the image's entrypoint");
  lifecycleOptions(command.optionsGroup("Life:"));
  mountOptions(command.optionsGroup("Files:"));
  networkOptions(command.optionsGroup("Network:"));
  limitOptions(command.optionsGroup("Limits:"));
  securityOptions(command.optionsGroup("Isolation and process:"));
  usernsOptions(command);
  return command
    .optionsGroup("Image and storage:")
    .option("--driver <name[:pool]>", "storage driver (TSIMG_DRIVER)")
    .option("--storage-opt <key=value>", "what the driver shall do, e.g. size=10G", each, NONE);
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
