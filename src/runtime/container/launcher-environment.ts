import type { StorePaths } from "../../store/paths.ts";

/** A launcher may run in a copy of its program that is in memory already: see launcher/seal.h. */
export function launcherEnvironment({ launcher }: Pick<StorePaths, "launcher">) {
  return { TSIMG_LAUNCHER: launcher };
}
