import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileTape, type LaunchRequest } from "../tape/compile.ts";
import { encodeTape } from "../tape/encode.ts";

/**
 * Starts a container: this process becomes the launcher, and with it ends as the container
 * ends, or for a detached one as soon as it runs. Never returns.
 *
 * @param launcher path of the built launcher
 */
export function launch(launcher: string, request: LaunchRequest): never {
  const tape = join(request.stateDirectory, "tape");
  writeFileSync(
    tape,
    encodeTape(compileTape(request), process.arch === "arm64" ? "aarch64" : "x86_64"),
    { mode: 0o600 },
  );
  process.execve?.(launcher, ["tsimg-launcher", tape], {});
  throw new Error("execve returned");
}
