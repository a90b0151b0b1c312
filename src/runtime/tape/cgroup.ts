import { posix } from "node:path";
import { deviceProgram } from "../cgroup/device-program.ts";
import type { CgroupPlan, CgroupWrite } from "../cgroup/plan.ts";
import { constantValue } from "./constants.ts";
import type { CgroupView } from "./mounts.ts";
import type { Steps } from "./steps.ts";
import type { Register } from "./tape.ts";
import { bytes, flags, mode, words } from "./tape.ts";

const WRITE = flags("O_WRONLY", "O_CLOEXEC");
const HERE = flags("AT_FDCWD");

/** On the host, before the clone: the container's cgroups with their limits. */
export function makeCgroups(steps: Steps, plan: CgroupPlan): void {
  for (const directory of plan.directories) {
    steps.call("mkdirat", [HERE, directory, mode(0o755)], `making cgroup "${directory}"`, {
      tolerate: ["EEXIST"],
      hint: "tsimg must be able to write to the cgroup file system",
    });
  }
  for (const write of plan.writes) steps.scope(() => applySetting(steps, write));
  if (plan.deviceProgram !== undefined) limitDevices(steps, plan.deviceProgram);
}

function applySetting(steps: Steps, setting: CgroupWrite): void {
  const { file, value, why, instead, dispensable = false } = setting;
  const reason = (at: string, it: string) => `${why}: writing ${it} to "${at}"`;
  const warn = dispensable;
  const optional = setting.optional || dispensable;
  const first = reason(file, value);
  if (instead === undefined) return writeFile(steps, file, value, first, optional, warn);
  const fd = steps.register();
  steps.attempt(() => steps.keep("openat", [HERE, file, WRITE], first, { into: fd }), {
    tolerate: ["ENOENT"],
    ok: () => writeTo(steps, fd, value, first, optional, warn),
    otherwise: () => {
      const second = reason(instead.file, instead.value);
      writeFile(steps, instead.file, instead.value, second, optional, warn);
    },
  });
}

/** union bpf_attr as BPF_PROG_LOAD and BPF_PROG_ATTACH read it. @see linux/bpf.h */
const LOAD_SIZE = 72;
const ATTACH_SIZE = 16;
const INSTRUCTION_SIZE = 8;
const PROGRAM_NAME = "tsimg_devices";

/**
 * Gives a version 2 group its list of devices: a program that the kernel asks.
 *
 * It is attached beside those of the groups above, all of which have to agree, and goes
 * with its group.
 */
function limitDevices(
  steps: Steps,
  { directory, rules }: NonNullable<CgroupPlan["deviceProgram"]>,
): void {
  const program = deviceProgram(rules);
  if (program === undefined) return;
  const why = `limiting the devices of cgroup "${directory}"`;
  const hint = "the kernel needs CONFIG_CGROUP_BPF, tsimg CAP_BPF or CAP_SYS_ADMIN";
  steps.scope(() => {
    const load = loadAttributes(program);
    const loadFlag = flags("BPF_PROG_LOAD");
    const loaded = steps.keep("bpf", [loadFlag, load, LOAD_SIZE], why, { hint });
    const how = flags("O_DIRECTORY", "O_CLOEXEC");
    const group = steps.keep("openat", [HERE, directory, how], why);
    const attach = bytes("{group, program}", attachAttributes());
    steps.call("poke", [attach, group], why);
    steps.call("poke", [{ kind: "place", of: attach, offset: 4 }, loaded], why);
    steps.call("bpf", [flags("BPF_PROG_ATTACH"), attach, ATTACH_SIZE], why, { hint });
    steps.call("close", [group], why);
    steps.call("close", [loaded], why);
  });
}

function loadAttributes(program: Uint8Array) {
  const count = program.length / INSTRUCTION_SIZE;
  const name = Buffer.alloc(16);
  name.write(PROGRAM_NAME);
  return words(
    "{BPF_PROG_TYPE_CGROUP_DEVICE}",
    BigInt(constantValue(["BPF_PROG_TYPE_CGROUP_DEVICE"], "x86_64")) | (BigInt(count) << 32n),
    bytes(`[${count} instructions]`, program),
    // Its licence: the kernel wants a word, and the program calls nothing that asks for GPL.
    "Apache-2.0",
    ...[0, 0, 0],
    ...[name.readBigUInt64LE(0), name.readBigUInt64LE(8)],
    BigInt(constantValue(["BPF_CGROUP_DEVICE"], "x86_64")) << 32n,
  );
}

/** Two descriptors, which the tape fills in, then type and flags. */
function attachAttributes(): Uint8Array {
  const type = constantValue(["BPF_CGROUP_DEVICE"], "x86_64");
  const how = constantValue(["BPF_F_ALLOW_MULTI"], "x86_64");
  return new Uint8Array(Uint32Array.of(0, 0, type, how).buffer);
}

/** Writes a small file in one write, as the kernel's own file systems want it. */
export function writeFile(
  steps: Steps,
  file: string,
  value: string,
  why: string,
  optional = false,
  warn = false,
): void {
  const fd = steps.register();
  const write = () => writeTo(steps, fd, value, why, optional, warn);
  const open = () => steps.keep("openat", [HERE, file, WRITE], why, { into: fd, warn });
  if (optional) return steps.attempt(open, { tolerate: "any", ok: write });
  open();
  write();
}

function writeTo(
  steps: Steps,
  fd: Register,
  value: string,
  why: string,
  optional: boolean,
  warn: boolean,
): void {
  const tolerate = optional ? "any" : [];
  steps.call("write", [fd, value, Buffer.byteLength(value)], why, { tolerate, warn });
  steps.call("close", [fd], why);
}

/**
 * In the child, before its cgroup namespace is made, so that the namespace begins there.
 *
 * A v1 hierarchy is joined through `tasks`: writing "0" there moves the caller alone and
 * spares the kernel's lock over all threads, which waits for an RCU grace period. For a
 * process of one thread the outcome is the same. A v2 cgroup has no such file.
 */
export function joinCgroups(
  steps: Steps,
  procsFiles: readonly string[],
  unprivileged = false,
): void {
  const hint = "the kernel lets nobody in from outside the cgroup that was handed over to you";
  for (const file of procsFiles) {
    const directory = directoryOf(file);
    const why = `joining cgroup "${directory}"`;
    steps.scope(() => {
      const fd = steps.register();
      const tasks = `${directory}/tasks`;
      steps.attempt(() => steps.keep("openat", [HERE, tasks, WRITE], why, { into: fd }), {
        tolerate: ["ENOENT"],
        otherwise: () => steps.keep("openat", [HERE, file, WRITE], why, { into: fd }),
      });
      steps.call("write", [fd, "0", 1], why, unprivileged ? { hint } : {});
      steps.call("close", [fd], why);
    });
  }
}

export function removeCgroups(steps: Steps, plan: CgroupPlan): void {
  for (const directory of plan.removals) {
    const how = flags("AT_REMOVEDIR");
    steps.call("unlinkat", [HERE, directory, how], `removing cgroup "${directory}"`, {
      tolerate: ["ENOENT"],
      retryBusy: true,
    });
  }
}

/** Which cgroups the container sees, from where its first process joins. */
export function cgroupViews(plan: CgroupPlan, cgroupsPath: string | undefined): CgroupView[] {
  const suffix = cgroupsPath ?? "";
  return plan.procsFiles.map((file) => {
    const directory = directoryOf(file);
    const mountPoint = directory.endsWith(suffix)
      ? directory.slice(0, directory.length - suffix.length)
      : directory;
    const alone = mountPoint === plan.unified && plan.procsFiles.length === 1;
    return { directory, name: alone ? "." : posix.basename(mountPoint) };
  });
}

function directoryOf(file: string): string {
  return file.slice(0, file.lastIndexOf("/"));
}
