import { TsimgError } from "../../sys/error.ts";
import type { Container } from "./container.ts";

/** The container's first process. @throws TsimgError ERR_STATE when it doesn't run */
export function firstProcess({ row, state }: Container): number {
  if (state.status === "running") return state.started.pid;
  throw new TsimgError("ERR_STATE", `container '${row.name}' is not running`, {
    hint: `start it first with "tsimg start ${row.name}"`,
  });
}
