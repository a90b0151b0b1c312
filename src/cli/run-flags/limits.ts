import { type Command, Option } from "../command.ts";

/** A flag that may be given several times. */
function repeated(flags: string, description: string): Option {
  const parser: (text: string, before?: readonly string[]) => readonly string[] = (
    text,
    before = [],
  ) => [...before, text];
  return new Option(flags, description).argParser(parser);
}

/** The limits that can also be changed while a container runs. */
export function changeableLimitOptions(command: Command): Command {
  return command
    .option("-m, --memory <size>", "limit of memory, e.g. 512m")
    .option("--memory-swap <size>", "limit of memory and swap together; -1 is none")
    .option("--memory-reservation <size>", "memory that it keeps when the machine runs short")
    .option("--memory-swappiness <number>", "0 to 100: how gladly it is swapped out (cgroup v1)")
    .option("--kernel-memory <size>", "accepted and ignored: kernels have no such limit any more")
    .option("--cpus <number>", "limit of CPU time, e.g. 1.5")
    .option("-c, --cpu-shares <number>", "share of CPU time when it is scarce (1024 is usual)")
    .option("--cpu-period <microseconds>", "period of --cpu-quota")
    .option("--cpu-quota <microseconds>", "CPU time in each period")
    .option("--cpu-rt-period <microseconds>", "period of --cpu-rt-runtime (cgroup v1)")
    .option("--cpu-rt-runtime <microseconds>", "real-time scheduling in each period (cgroup v1)")
    .option("--cpuset-cpus <list>", "CPUs to run on, e.g. 0-2,7")
    .option("--cpuset-mems <list>", "memory nodes to use, e.g. 0")
    .option("--pids-limit <number>", "limit of processes and threads; -1 is none")
    .option("--blkio-weight <number>", "share of block I/O, 10 to 1000")
    .addOption(
      repeated("--blkio-weight-device <path:weight>", "share of one device's I/O, 10 to 1000"),
    )
    .addOption(
      repeated("--device-read-bps <path:size>", "limit of bytes read a second, e.g. /dev/sda:1mb"),
    )
    .addOption(repeated("--device-write-bps <path:size>", "limit of bytes written a second"))
    .addOption(repeated("--device-read-iops <path:number>", "limit of reads a second"))
    .addOption(repeated("--device-write-iops <path:number>", "limit of writes a second"));
}

/** Every flag of LimitFlags, for commands that make a container. */
export function limitOptions(command: Command): Command {
  return changeableLimitOptions(command)
    .option("--oom-kill-disable", "wait for memory instead of being killed (cgroup v1)")
    .option("--cgroup-parent <path>", "group to make the container's group in")
    .addOption(repeated("--device-cgroup-rule <rule>", "allow devices, e.g. 'c 10:* rwm'"));
}
