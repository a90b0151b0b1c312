import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { outputOf } from "../../../fixtures/command.ts";
import type { Stage } from "../../system/run-stage.ts";

export interface Bundle {
  readonly directory: string;
  readonly unmount: () => Promise<void>;
}

/**
 * The bundle that `tsimg bundle` makes with the flags of a `tsimg run`, with a root of the same
 * kind as the container's.
 *
 * @param words flags, image and command as `run` has them, the image named by `stage.tiny`
 * @param cgroupsPath where the runtime shall make the container's groups
 */
export async function bundleOf(
  stage: Stage,
  words: readonly string[],
  directory: string,
  cgroupsPath: string,
): Promise<Bundle> {
  const at = words.indexOf(stage.tiny);
  const [flags, command] = [words.slice(0, at), words.slice(at + 1)];
  await stage.output("bundle", ...flags, stage.tiny, directory, ...command);
  const config = join(directory, "config.json");
  const spec = JSON.parse(await readFile(config, "utf8"));
  const root = join(directory, "rootfs");
  for (const part of ["upper", "work"]) await mkdir(join(directory, part));
  // Mapped users have to get there, and what an overlay is mounted with counts above the root.
  const owner = spec.linux.uidMappings?.[0]?.hostID;
  if (owner !== undefined) {
    await outputOf(["chown", `${owner}:${owner}`, join(directory, "upper")]);
    await chmod(stage.root, 0o711);
  }
  const layers = `lowerdir=${root},upperdir=${directory}/upper,workdir=${directory}/work`;
  await outputOf(["mount", "-t", "overlay", "overlay", "-o", layers, root]);
  spec.linux.cgroupsPath = cgroupsPath;
  await writeFile(config, JSON.stringify(spec));
  return { directory, unmount: () => outputOf(["umount", root]).then(() => undefined) };
}
