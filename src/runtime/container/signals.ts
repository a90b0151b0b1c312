import { constants } from "node:os";
import { identityOf, isAlive } from "../../store/process-identity.ts";
import { errorCode, tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { sleep } from "../../sys/sleep.ts";
import { thaw } from "../cgroup/freeze.ts";
import type { Container } from "./container.ts";
import { isStarting } from "./container-look.ts";
import type { ContainerStore } from "./container-store.ts";

const POLL = 20;
/** Milliseconds that a launcher has for what is left to do when its container has ended. */
const LAUNCHER_PATIENCE = 1000;

/**
 * A signal by name, with or without "SIG", or by number.
 * @throws TsimgError ERR_USAGE
 */
export function parseSignal(text: string): number {
  const realTime = /^(?:SIG)?RTMIN(?:\+(\d+))?$/i.exec(text);
  if (realTime !== null && Number(realTime[1] ?? 0) <= 30) return 34 + Number(realTime[1] ?? 0);
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 64) return number;
  const name = text.toUpperCase().replace(/^(?:SIG)?/, "SIG");
  const known = constants.signals as Readonly<Record<string, number>>;
  const found = Object.hasOwn(known, name) ? known[name] : undefined;
  if (found !== undefined) return found;
  throw new TsimgError("ERR_USAGE", `invalid signal: '${text}'`, {
    hint: "use a name such as TERM or SIGHUP, or a number from 1 to 64",
  });
}

/**
 * Sends a signal to a container's first process.
 * @throws TsimgError ERR_STATE when it isn't running
 */
export function signalContainer(container: Container, signal: number): void {
  const { state, row, options } = container;
  if (state.status !== "running")
    throw new TsimgError("ERR_STATE", `container '${row.name}' is not running`);
  const { pid, startTime } = state.started;
  if (!isAlive(identityOf(pid, startTime))) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) !== "ESRCH") throw error;
  }
  // A process that is frozen can't die either.
  if (signal === constants.signals.SIGKILL) thaw(options.cgroups);
}

/** Docker's, in seconds. */
const STOP_TIMEOUT = 10;

/**
 * Sends a signal that somebody wants a container to have. After one that ends it, it isn't
 * started again by its restart policy.
 */
export function killContainer(
  containers: ContainerStore,
  container: Container,
  signal: number,
): void {
  const { row, options } = container;
  const isEnd = signal === constants.signals.SIGKILL || signal === parseSignal(options.stopSignal);
  if (isEnd && container.state.status === "running") containers.askToStop(row.id);
  signalContainer(container, signal);
  containers.tell(row, "kill", { signal: String(signal) });
}

/** How a container is to be stopped where its own way isn't wanted. */
export interface StopWish {
  /** Until it is killed; -1 for never. */
  readonly seconds?: number;
  /** What asks it to stop. */
  readonly signal?: number;
}

/**
 * Asks a container to stop, and kills it when it hasn't after some time. One that isn't
 * running is no error.
 */
export async function stopContainer(
  containers: ContainerStore,
  name: string,
  wish: StopWish,
  signal: AbortSignal,
): Promise<void> {
  const { row } = containers.existing(name);
  containers.askToStop(row.id);
  const container = await settled(containers, row.id, signal);
  const { state, options } = container;
  if (state.status !== "running") return;
  const asks = wish.signal ?? parseSignal(options.stopSignal);
  signalContainer(container, asks);
  containers.tell(row, "kill", { signal: String(asks) });
  thaw(options.cgroups);
  const patience = wish.seconds ?? options.stopTimeout ?? STOP_TIMEOUT;
  const ms = patience < 0 ? Number.POSITIVE_INFINITY : patience * 1000;
  if (!(await ended(container, ms, signal))) {
    signalContainer(container, constants.signals.SIGKILL);
    containers.tell(row, "kill", { signal: String(constants.signals.SIGKILL) });
    await ended(container, Number.POSITIVE_INFINITY, signal);
  }
  containers.find(row.id);
  containers.tell(row, "stop");
}

/** Waits until nobody is just starting it: what comes to run then is to be stopped, too. */
async function settled(
  containers: ContainerStore,
  id: string,
  signal: AbortSignal,
): Promise<Container> {
  for (;;) {
    const container = containers.existing(id);
    if (!isStarting(container)) return container;
    await sleep(POLL, signal);
  }
}

/**
 * Waits until the container's launcher is done with it, at most `ms` milliseconds. One that
 * still waits for somebody to read what the container wrote is told to let it be.
 */
export async function ended(
  container: Container,
  ms: number,
  signal: AbortSignal,
): Promise<boolean> {
  if (container.state.status !== "running") return true;
  const { pid, startTime, launcher, launcherStartTime } = container.state.started;
  const first = identityOf(pid, startTime);
  const attendant = identityOf(launcher, launcherStartTime);
  let alone: number | undefined;
  for (const end = Date.now() + ms; Date.now() < end; ) {
    if (!isAlive(first)) {
      if (!isAlive(attendant)) return true;
      alone ??= Date.now();
      if (Date.now() - alone >= LAUNCHER_PATIENCE) {
        tolerating(["ESRCH"], () => process.kill(launcher, "SIGTERM"));
        alone = Number.POSITIVE_INFINITY;
      }
    }
    await sleep(POLL, signal);
  }
  return false;
}
