import type { Command } from "../command.ts";
import { each, NONE } from "./each.ts";

/** Adds the flags of src/runtime/mounts/mount-flags.ts to a command. */
export function mountOptions(command: Command): Command {
  return command
    .option(
      "-v, --volume <[src:]dst[:ro]>",
      "mount a directory of the host or a volume",
      each,
      NONE,
    )
    .option("--mount <type=…,src=…,dst=…>", "mount a bind, volume or tmpfs", each, NONE)
    .option("--tmpfs <dst[:options]>", "mount a tmpfs", each, NONE)
    .option("--volumes-from <container[:ro]>", "mount what another container has", each, NONE)
    .option("--volume-driver <name>", "driver of new volumes: local");
}
