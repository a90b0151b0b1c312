import type { Command } from "../command.ts";
import { each, NONE } from "./each.ts";

/** Declares the flags of src/runtime/security-flags.ts. */
export function securityOptions(command: Command): Command {
  return command
    .option("--privileged", "all capabilities, all devices, nothing hidden", false)
    .option("--cap-add <name>", "give a capability", each, NONE)
    .option("--cap-drop <name>", "take a capability", each, NONE)
    .option(
      "--security-opt <option>",
      "no-new-privileges, seccomp=FILE, apparmor=NAME, systempaths=, mask=, unmask=",
      each,
      NONE,
    )
    .option("--ulimit <name=soft[:hard]>", "set a resource limit; -1 is none", each, NONE)
    .option("--sysctl <name=value>", "set a kernel setting of the container's own", each, NONE)
    .option("--device <path[:path][:rwm]>", "give a device of the host", each, NONE)
    .option("--group-add <group>", "put the user into one more group", each, NONE)
    .option("--ipc <mode>", "IPC namespace: none, private, shareable, host or container:ID")
    .option("--pid <mode>", "PID namespace: private, host or container:ID")
    .option("--uts <mode>", "namespace of names: private, host or container:ID")
    .option("--cgroupns <mode>", "cgroup namespace: private or host")
    .option(
      "--time <clock=seconds,...>",
      "how far monotonic and boottime are ahead, or container:ID for another's clocks",
    )
    .option("--shm-size <size>", "size of /dev/shm (64m)")
    .option("--oom-score-adj <number>", "-1000 to 1000: who is killed when memory runs out")
    .option("--umask <octal>", "permission bits that new files don't get (0022)")
    .option("--stop-signal <signal>", "signal that asks the container to stop")
    .option("--stop-timeout <seconds>", "time to stop before it is killed; -1 is for ever")
    .option("--init", "put an init process in front that reaps and forwards signals", false)
    .option("--read-only", "make the root file system read-only", false);
}
