import { readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { tolerating } from "../../../src/sys/errno.ts";

const CGROUPS = "/sys/fs/cgroup";

/**
 * Once all tests are over: the groups that were made for containers to be made in. tsimg leaves
 * them, since another run may be about to use them.
 */
export function teardown(): void {
  const names = tolerating(["ENOENT"], () => readdirSync(CGROUPS)) ?? [];
  for (const name of ["", ...names])
    tolerating(["ENOENT", "ENOTDIR", "EBUSY", "ENOTEMPTY", "EPERM", "EACCES"], () =>
      rmdirSync(join(CGROUPS, name, "tsimg")),
    );
}
