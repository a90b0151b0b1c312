import { writeFileSync } from "node:fs";
import type { MachineArch } from "../seccomp/architectures.ts";
import { compileExec } from "../tape/compile-exec.ts";
import { encodeTape } from "../tape/encode.ts";
import type { HealthLaunch } from "./health-launch.ts";
import { filterOf } from "./tape-image.ts";

/** Writes what the launcher performs at each check. @param filters where filters are kept */
export async function writeHealthTape(
  { tape, request }: HealthLaunch,
  arch: MachineArch,
  filters: string,
): Promise<void> {
  const filter = await filterOf(request.seccomp, arch, filters);
  const whole = filter === undefined ? request : { ...request, seccompFilter: filter };
  const machine = arch === "arm64" ? "aarch64" : "x86_64";
  writeFileSync(tape, encodeTape(compileExec(whole), machine), { mode: 0o600 });
}
