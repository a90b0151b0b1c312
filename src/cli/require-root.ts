import { TsimgError } from "../sys/error.ts";

/** @throws TsimgError ERR_ROOT_REQUIRED @param what reads like "running a container" */
export function requireRoot(what: string): void {
  if (process.getuid?.() === 0) return;
  throw new TsimgError("ERR_ROOT_REQUIRED", `${what} needs root`, { hint: "run tsimg with sudo" });
}
