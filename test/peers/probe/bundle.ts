import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { outputOf } from "../../../fixtures/command.ts";
import type { Stage } from "../../system/run-stage.ts";

export interface Bundle {
  readonly directory: string;
  readonly unmount: () => Promise<void>;
}

/**
 * A bundle of the very container that tsimg has run as `name`: its config.json, and a root of
 * the same kind with the same content.
 *
 * @param cgroupsPath where the runtime shall make the container's groups
 */
export async function bundleOf(
  stage: Stage,
  name: string,
  directory: string,
  cgroupsPath: string,
): Promise<Bundle> {
  const { BundlePath } = await stage.inspect(name);
  const spec = JSON.parse(await readFile(join(BundlePath, "config.json"), "utf8"));
  const root = join(directory, "rootfs");
  for (const part of ["rootfs", "upper", "work"]) {
    await mkdir(join(directory, part), { recursive: true });
  }
  const image = (await stage.output("mount", stage.tiny)).trim();
  const layers = `lowerdir=${image},upperdir=${directory}/upper,workdir=${directory}/work`;
  await outputOf(["mount", "-t", "overlay", "overlay", "-o", layers, root]);
  spec.root.path = root;
  spec.linux.cgroupsPath = cgroupsPath;
  await writeFile(join(directory, "config.json"), JSON.stringify(spec));
  const unmount = async () => {
    await outputOf(["umount", root]);
    await stage.output("umount", image);
  };
  return { directory, unmount };
}
