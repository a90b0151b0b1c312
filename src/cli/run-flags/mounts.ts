import type { Command } from "../command.ts";

/** Adds the flags of src/runtime/mounts/mount-flags.ts to a command. */
export function mountOptions(command: Command): Command {
  const each = (text: string, before: readonly string[]) => [...before, text];
  const none: readonly string[] = [];
  return command
    .option(
      "-v, --volume <[src:]dst[:ro]>",
      "mount a directory of the host or a volume",
      each,
      none,
    )
    .option("--mount <type=…,src=…,dst=…>", "mount a bind, volume or tmpfs", each, none)
    .option("--tmpfs <dst[:options]>", "mount a tmpfs", each, none)
    .option("--volumes-from <container[:ro]>", "mount what another container has", each, none)
    .option("--volume-driver <name>", "driver of new volumes: local");
}
