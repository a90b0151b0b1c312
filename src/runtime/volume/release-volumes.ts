import { tolerating } from "../../sys/errno.ts";
import type { VolumeContext } from "./prepare-volumes.ts";
import { VolumeStore } from "./volume-store.ts";

/**
 * Takes a container's volumes from it, before its row is deleted.
 *
 * @param container ID; one without volumes, or that is gone, is no error
 * @param removeAnonymous whether those that it named nowhere go too, unless another container
 *                        has them: `rm -v` and `run --rm`
 */
export function releaseVolumes(
  { database, paths }: VolumeContext,
  container: string,
  { removeAnonymous }: { readonly removeAnonymous: boolean },
): void {
  const used = "select volume, anonymous from volume_uses where container = ?";
  const mine = database.all<{ volume: string; anonymous: number }>(used, container);
  // Most containers have none: that costs them no transaction.
  if (mine.length === 0) return;
  const store = new VolumeStore(database, paths);
  const leaving = database.transaction(() => {
    database.run("delete from volume_uses where container = ?", container);
    const names = mine
      .filter(({ volume, anonymous }) => {
        return removeAnonymous && anonymous === 1 && store.users(volume).length === 0;
      })
      .map(({ volume }) => volume);
    for (const name of names) store.markRemoving(name);
    return names;
  });
  // What can't be removed now is tried again by the next command that looks at volumes.
  for (const name of leaving)
    tolerating(["EBUSY", "EIO", "EROFS", "EPERM"], () => store.destroy(name));
}
