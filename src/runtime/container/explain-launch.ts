import { compileLaunch } from "../tape/compile-foreign.ts";
import { explainTape } from "../tape/explain.ts";
import type { PreparedLaunch } from "./prepare-launch.ts";
import { withFilter } from "./tape-image.ts";

/** A container's launch as text: a system call a line, in order, each with its reason. */
export async function explainLaunch(
  { request, arch }: PreparedLaunch,
  filters: string,
): Promise<string> {
  return explainTape(compileLaunch(await withFilter(request, arch, filters)));
}
