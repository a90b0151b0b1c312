import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CreatedContainer } from "./create-container.ts";
import { type TapeDirectories, tapeImage } from "./tape-image.ts";

/**
 * Starts a container: this process becomes the launcher, and with it ends as the container
 * ends, or for a detached one as soon as it runs. Never returns.
 *
 * @param launcher path of the built launcher
 */
export async function launch(
  launcher: string,
  { request, names, arch }: CreatedContainer,
  directories: TapeDirectories,
): Promise<never> {
  // A new build of tsimg may make other tapes of the same request.
  const version = String(statSync(import.meta.filename).mtimeMs);
  const image = await tapeImage(request, names, arch, version, directories);
  const tape = join(request.stateDirectory, "tape");
  writeFileSync(tape, image, { mode: 0o600 });
  process.execve?.(launcher, ["tsimg-launcher", tape], {});
  throw new Error("execve returned");
}
