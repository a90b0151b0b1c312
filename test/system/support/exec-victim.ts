import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { namespacesOf } from "../../../src/runtime/container/exec-namespaces.ts";
import { compileTape } from "../../../src/runtime/tape/compile.ts";
import { compileExec } from "../../../src/runtime/tape/compile-exec.ts";
import { encodeTape } from "../../../src/runtime/tape/encode.ts";
import type { LaunchRequest } from "../../../src/runtime/tape/request.ts";
import { flags, type Step, type Tape } from "../../../src/runtime/tape/tape.ts";
import { tolerating } from "../../../src/sys/errno.ts";
import type { Attack, EscapeBox } from "./escape-box.ts";
import { type Change, first } from "./weaken.ts";

/** Where the process that enters a container stops, for an attacker to have all the time. */
export type Place = "its first moment" | "the namespaces joined" | "all let go" | "handed over";

const FIFO = "fifo";
const AFTER: Readonly<Record<Place, string | undefined>> = {
  "its first moment": undefined,
  "the namespaces joined": "joining the container",
  "all let go": "letting go of everything of the host",
  "handed over": "entering the container's PID namespace",
};

/** As it was before there was a copy: what is cloned is in the container from its first moment. */
export const clonedInto: Change = (tape) => {
  const join = tape.child.find(({ call, args }) => call === "setns" && joinsProcesses(args[1]));
  const hand = tape.child.find(({ call }) => call === "handover");
  if (join === undefined || hand === undefined) throw new Error("the tape hands nothing over");
  const early: Step = { ...join, args: [join.args[0] ?? 0, flags("CLONE_NEWPID")] };
  const child = tape.child.map((step) =>
    step === hand ? { ...step, call: "skip" as const } : step,
  );
  const options = tape.options.filter((option) => option !== "handover");
  return { ...tape, before: [...tape.before, early], child, options };
};

/** As the container's first process: waits for the word, then tries what it finds. */
const ATTACKER = `
echo ready
until test -e /attack; do sleep 0.02; done
for process in /proc/[0-9]*; do
  test $process = /proc/1 && continue
  cat $process/fd/*/secret $process/cwd/secret $process/root/secret
done
echo done`;

/**
 * A process enters a container by a changed tape, of an exec or of a container that joins its
 * processes, and stops on its way. Answers what the container's first process could read of a
 * directory that it holds.
 */
export async function attackExec(
  box: EscapeBox,
  place: Place,
  change: Change,
  given: Attack["flags"] = {},
  enters: "exec" | "run" = "exec",
): Promise<string> {
  execFileSync("mkfifo", [`${box.root}/${FIFO}`, box.path(FIFO)]);
  const attack = { args: ["sh", "-c", ATTACKER], flags: given };
  const [program, tape] = box.prepare(attack);
  const container = spawn(program, [tape], { stdio: ["ignore", "pipe", "ignore"] });
  const [pid, said] = [await firstProcess(container), container.stdout.setEncoding("utf8")];
  let all = "";
  said.on("data", (chunk) => {
    all += chunk;
  });
  const made = enters === "exec" ? anExec(box.launch(attack), pid) : aRun(box, pid);
  const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
  const path = `${box.tape}-exec`;
  writeFileSync(path, encodeTape(stopping(box, place)(change(made)), machine));
  const exec = spawn(program, [path], { stdio: "ignore" });
  try {
    await stopped(exec, pid, enters === "exec" && place !== "its first moment");
    writeFileSync(`${box.root}/attack`, "");
    await once(container, "close");
  } finally {
    // Who stands at the pipe waits on without its launcher.
    for (const child of childrenOf(exec.pid ?? 0))
      tolerating(["ESRCH"], () => process.kill(Number(child), "SIGKILL"));
    exec.kill("SIGKILL");
    container.kill("SIGKILL");
  }
  return all;
}

function anExec({ spec, cgroup }: LaunchRequest, pid: number): Tape {
  return compileExec({
    process: { ...spec.process, args: ["true"] },
    target: { pid },
    namespaces: namespacesOf(spec),
    procsFiles: cgroup.procsFiles,
    seccomp: undefined,
    io: { kind: "foreground", tty: false, interactive: false },
    removeAfter: [],
  });
}

/** Another container, of the same root, that joins the first one's processes. */
function aRun(box: EscapeBox, pid: number): Tape {
  const { spec, cgroup, ...request } = box.launch({ args: ["true"] });
  const namespaces = spec.linux.namespaces.map((one) =>
    one.type === "pid" ? { ...one, path: `/proc/${pid}/ns/pid` } : one,
  );
  return compileTape({
    ...request,
    spec: { ...spec, linux: { ...spec.linux, namespaces } },
    cgroup: { directories: [], writes: [], procsFiles: cgroup.procsFiles, removals: [] },
    stateDirectory: box.path("joins"),
  });
}

function joinsProcesses(how: Step["args"][number] | undefined): boolean {
  return typeof how === "object" && how.kind === "flags" && how.names.includes("CLONE_NEWPID");
}

async function firstProcess(launcher: ChildProcess): Promise<number> {
  await once(launcher.stdout ?? launcher, "readable");
  return Number(childrenOf(launcher.pid ?? 0)[0]);
}

/** Opening a FIFO waits for a writer, who never comes. */
function stopping(box: EscapeBox, place: Place): Change {
  const open = (path: string) => ({
    call: "openat" as const,
    args: [flags("AT_FDCWD"), path, flags("O_CLOEXEC")],
  });
  const why = AFTER[place];
  if (why === undefined) return first(open(box.path(FIFO)));
  return (tape: Tape) => {
    const at = tape.child.findIndex((step) => step.why === why);
    const [before, after] = [tape.child.slice(0, at + 1), tape.child.slice(at + 1)];
    const stop: Step = { ...(before.at(-1) as Step), ...open(`/${FIFO}`), why: "stopping" };
    return { ...tape, child: [...before, stop, ...after] };
  };
}

/** @param within whether it stops in the container's mounts */
async function stopped(launcher: ChildProcess, container: number, within: boolean): Promise<void> {
  const mounts = (pid: number | string) =>
    tolerating(["ENOENT", "ESRCH"], () => readlinkSync(`/proc/${pid}/ns/mnt`));
  for (;;) {
    const joined = (pid: string) => !within || mounts(pid) === mounts(container);
    if (childrenOf(launcher.pid ?? 0).some((pid) => joined(pid) && isOpening(pid))) return;
    await sleep(20);
  }
}

/** Whether it waits in openat(2). */
function isOpening(pid: string): boolean {
  const call = tolerating(["ENOENT", "ESRCH"], () => readFileSync(`/proc/${pid}/syscall`, "utf8"));
  return Number(call?.split(" ")[0]) === (process.arch === "arm64" ? 56 : 257);
}

function childrenOf(pid: number): readonly string[] {
  const tasks = tolerating(["ENOENT"], () => readdirSync(`/proc/${pid}/task`)) ?? [];
  return tasks.flatMap((task) => {
    const path = `/proc/${pid}/task/${task}/children`;
    const text = tolerating(["ENOENT", "ESRCH"], () => readFileSync(path, "utf8")) ?? "";
    return text.split(" ").filter((each) => each !== "");
  });
}
