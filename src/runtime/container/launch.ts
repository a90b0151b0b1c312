import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StorePaths } from "../../store/paths.ts";
import { become } from "../../sys/become.ts";
import { launcherEnvironment } from "./launcher-environment.ts";
import type { PreparedLaunch } from "./prepare-launch.ts";
import { explainedImage, type TapeDirectories, tapeImage } from "./tape-image.ts";

/**
 * Starts a container: this process becomes the launcher, and with it ends as the container
 * ends, or for a detached one as soon as it runs. Never returns.
 *
 * @param launcher path of the built launcher
 * @param explained whether the launcher is to show the call that fails
 */
export async function launch(
  launcher: string,
  prepared: PreparedLaunch,
  directories: TapeDirectories & Pick<StorePaths, "launcher">,
  explained = false,
): Promise<never> {
  const tape = await writeTape(prepared, directories, explained);
  return become(launcher, ["tsimg-launcher", tape], launcherEnvironment(directories));
}

/** Writes the launcher's tape into the container's state directory and answers its path. */
export async function writeTape(
  { request, names, arch, health }: PreparedLaunch,
  directories: TapeDirectories,
  explained = false,
): Promise<string> {
  // A new build of tsimg may make other tapes of the same request.
  const version = String(statSync(import.meta.filename).mtimeMs);
  const image = explained
    ? await explainedImage(request, arch, directories)
    : await tapeImage(request, names, arch, version, directories);
  if (health !== undefined) {
    const { writeHealthTape } = await import("./write-health-tape.ts");
    await writeHealthTape(health, arch, directories.filters);
  }
  const tape = join(request.stateDirectory, "tape");
  writeFileSync(tape, image, { mode: 0o600 });
  return tape;
}
