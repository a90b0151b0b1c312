import { fork } from "node:child_process";
import { once } from "node:events";
import { ERROR_EXIT_STATUS, type ErrorCode, TsimgError } from "../../sys/error.ts";
import { sweepWorkspaces } from "../workspace/workspace.ts";
import type { BenchRequest, FromBench, ToBench } from "./request.ts";

/** How long the other process may take to end when its work is done, in milliseconds. */
const PATIENCE = 3000;

export interface BenchRun {
  /** Path of the built program that measures. */
  readonly program: string;
  readonly request: BenchRequest;
  /** Asks for an end after the step that is being measured. */
  readonly stop: AbortSignal;
  /** Asks for an end at once. */
  readonly kill: AbortSignal;
  readonly onMessage: (message: FromBench) => void;
}

/**
 * Has a bench measured by a process of its own, and cleans up after that should it be killed.
 *
 * What it measured, and whether it ran to its end, is told by `onMessage`.
 * @throws TsimgError what it failed of
 */
export async function runBench({
  program,
  request,
  stop,
  kill,
  onMessage,
}: BenchRun): Promise<void> {
  const child = fork(program, [], { serialization: "json", execArgv: [] });
  const send = (message: ToBench) => child.connected && child.send(message);
  let failure: TsimgError | undefined;
  let hasEnded = false;
  child.on("message", (message: FromBench) => {
    if (message.kind === "ended") hasEnded = true;
    if (message.kind === "failed") failure = errorOf(message);
    else onMessage(message);
  });
  child.on("error", () => {});
  // It has cleaned up by then, and Node's way out can take forever, see src/layer/unpacker.ts.
  child.on("disconnect", () => setTimeout(() => child.kill("SIGKILL"), PATIENCE).unref());
  const onStop = () => send({ stop: true });
  const onKill = () => child.kill("SIGKILL");
  stop.addEventListener("abort", onStop);
  kill.addEventListener("abort", onKill);
  send({ request });
  const [status, signal] = await once(child, "close");
  const ended = failure !== undefined || hasEnded;
  stop.removeEventListener("abort", onStop);
  kill.removeEventListener("abort", onKill);
  if (status !== 0) await sweepWorkspaces(request.root);
  if (failure !== undefined) throw failure;
  if (stop.aborted || kill.aborted || ended) return;
  if (status !== 0)
    throw new TsimgError("ERR_STATE", `the process that measures died (${signal ?? status})`, {
      hint: "what it had made is removed; was it killed, or is memory short?",
    });
}

function errorOf({ code, message, hint }: Extract<FromBench, { kind: "failed" }>): TsimgError {
  const known = Object.hasOwn(ERROR_EXIT_STATUS, code) ? (code as ErrorCode) : "ERR_STATE";
  return new TsimgError(known, message, hint === undefined ? {} : { hint });
}
