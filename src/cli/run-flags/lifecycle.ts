import type { Command } from "../command.ts";
import { each, NONE } from "./each.ts";

/** Options of `LifecycleFlags`: how a container is named, stopped, started again and watched. */
export function lifecycleOptions(command: Command): Command {
  return command
    .option("--restart <policy>", "no, always, unless-stopped, on-failure[:times]")
    .option("-l, --label <name=value>", "put a label on the container", each, NONE)
    .option("--annotation <name=value>", "put an annotation into its OCI spec", each, NONE)
    .option("--label-file <file>", "labels from a file, one a line", each, NONE)
    .option("--cidfile <file>", "write the container's ID to a new file")
    .option("--pidfile <file>", "write the process ID of its first process to a file")
    .option("--runtime <name|path>", "another OCI runtime, as runc or crun (tsimg)")
    .option("-a, --attach <stream>", "only these: STDIN, STDOUT, STDERR", each, NONE)
    .option("--detach-keys <keys>", "typed to leave a terminal (ctrl-p,ctrl-q)")
    .option("--log-driver <name>", "k8s-file, json-file or local: a file (k8s-file); none")
    .option("--log-opt <key=value>", "max-size and max-file of the log's files", each, NONE)
    .option("--health-cmd <line>", "asks the container how it is, by its shell")
    .option("--health-interval <time>", "from one check to the next (30s)")
    .option("--health-timeout <time>", "for one check (30s)")
    .option("--health-retries <n>", "failures in a row that make it unhealthy (3)")
    .option("--health-start-period <time>", "in which failures don't count (0s)")
    .option("--health-start-interval <time>", "from check to check in that time (5s)")
    .option("--no-healthcheck", "no checks, whatever the image says");
}
