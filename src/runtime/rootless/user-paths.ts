import { join } from "node:path";
import { storePaths } from "../../store/paths.ts";

/** Where an ordinary user's store is. @see XDG Base Directory Specification */
export function userPaths(environment: NodeJS.ProcessEnv): {
  readonly root: string;
  readonly runRoot: string;
} {
  const given = environment["TSIMG_ROOT"];
  const data = environment["XDG_DATA_HOME"] || join(environment["HOME"] || "/", ".local/share");
  const root = given || join(data, "tsimg");
  const runtime = environment["XDG_RUNTIME_DIR"];
  // Beside a store that was asked for: two stores share no state.
  const own = given || !runtime ? storePaths(root).runRoot : join(runtime, "tsimg");
  return { root, runRoot: environment["TSIMG_RUNROOT"] || own };
}
