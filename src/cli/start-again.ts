import { type App, builtProgram } from "../app.ts";
import { launch, writeTape } from "../runtime/container/launch.ts";
import { launcherEnvironment } from "../runtime/container/launcher-environment.ts";
import { type PreparedLaunch, prepareLaunch } from "../runtime/container/prepare-launch.ts";
import { readSpec } from "../runtime/container/read-spec.ts";
import { TsimgError } from "../sys/error.ts";
import { createContext } from "./create-context.ts";

type Mode = Parameters<typeof prepareLaunch>[2];

const DETACHED: Mode = { mode: "detached", interactive: false, autoRemove: false };

/** Starts a container that was made before in this process's place. Never returns. */
export async function startAgain(
  app: App,
  id: string,
  restarts: number,
  mode: Omit<Mode, "autoRemove"> = DETACHED,
): Promise<never> {
  const prepared = claim(app, id, restarts, mode);
  return launch(builtProgram("launcher"), prepared, app.paths);
}

/** Starts a container in the background and waits until it runs. */
export async function startDetached(app: App, id: string): Promise<void> {
  const prepared = claim(app, id, 0, DETACHED);
  const tape = await writeTape(prepared, app.paths);
  const stdio = ["ignore", "ignore", "inherit"] as const;
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  const { status, error } = spawnSync(builtProgram("launcher"), [tape], {
    stdio: [...stdio],
    env: launcherEnvironment(app.paths),
  });
  if (error !== undefined) throw error;
  if (status === 0) return;
  // The launcher has said why.
  throw new TsimgError("ERR_STATE", `container '${id.slice(0, 12)}' could not be started`);
}

function claim(
  app: App,
  id: string,
  restarts: number,
  mode: Omit<Mode, "autoRemove">,
): PreparedLaunch {
  const { row, options } = app.containers.claimStart(id, restarts);
  const spec = readSpec(app.containers.directory(row.id));
  const created = { id: row.id, snapshot: row.snapshot, spec, options };
  return prepareLaunch(createContext(app), created, { ...mode, autoRemove: row.auto_remove === 1 });
}
