import { destroyByCommand } from "./destroy-command.ts";
import { destroyInKernel } from "./destroy-kernel.ts";
import type { Implementation } from "./implementation.ts";
import { type Obstacle, obstacleError } from "./obstacle.ts";
import { patiently } from "./patience.ts";

/**
 * Destroys datasets with our snapshots of them, and nothing that isn't ours. Those that are
 * gone already are no error.
 *
 * @param datasets children before their parents
 * @throws TsimgError ERR_IN_USE naming the snapshots, clones, holds and children in the way;
 *         what they don't keep has been destroyed by then
 */
export function destroyDatasets(implementation: Implementation, datasets: readonly string[]): void {
  let obstacles: readonly Obstacle[] = [];
  patiently(() => {
    obstacles = destroyOnce(implementation, datasets);
    const onlyBusy = obstacles.length > 0 && obstacles.every(({ kind }) => kind === "busy");
    return onlyBusy ? "busy" : "over";
  });
  if (obstacles.length > 0) throw obstacleError(obstacles);
}

function destroyOnce(
  implementation: Implementation,
  datasets: readonly string[],
): readonly Obstacle[] {
  const inKernel = implementation === "kernel" ? destroyInKernel(datasets) : undefined;
  return inKernel ?? destroyByCommand(datasets);
}
