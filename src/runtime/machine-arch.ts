import { TsimgError } from "../sys/error.ts";
import type { MachineArch } from "./seccomp/architectures.ts";

/** @throws TsimgError ERR_KERNEL on a machine that tapes and filters can't be made for */
export function machineArch(): MachineArch {
  if (process.arch === "x64") return "amd64";
  if (process.arch === "arm64") return "arm64";
  throw new TsimgError("ERR_KERNEL", `containers can't be run on ${process.arch} yet`, {
    hint: "use an amd64 or arm64 machine",
  });
}
