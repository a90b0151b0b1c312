import { TsimgError } from "../../sys/error.ts";
import { measure } from "./measure.ts";
import type { FromBench, ToBench } from "./request.ts";

/**
 * The program that measures, apart from the one that shows progress and takes Ctrl-C: what it
 * calls blocks, for seconds at times. It ends when its parent has gone, and cleans up before.
 */
export async function main(): Promise<void> {
  const controller = new AbortController();
  const stop = () => controller.abort(new DOMException("interrupted", "AbortError"));
  // The terminal sends Ctrl-C to both; what it means is the parent's to say.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  process.on("disconnect", stop);
  process.on("error", () => {});
  process.on("message", async (message: ToBench) => {
    if ("stop" in message) {
      stop();
      return;
    }
    try {
      await measure(message.request, controller.signal, tell);
    } catch (error) {
      tell(failureOf(error));
    }
    process.off("disconnect", stop);
    if (process.connected) process.disconnect?.();
  });
}

/** A parent that has gone hears nothing. */
function tell(message: FromBench): void {
  if (process.connected) process.send?.(message);
}

function failureOf(error: unknown): FromBench {
  if (error instanceof TsimgError)
    return {
      kind: "failed",
      code: error.code,
      message: error.message,
      ...(error.hint !== undefined && { hint: error.hint }),
    };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { kind: "failed", code: "ERR_STATE", message };
}
