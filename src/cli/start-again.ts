import { type App, builtProgram } from "../app.ts";
import type { Container, Restarts } from "../runtime/container/container.ts";
import { failStart } from "../runtime/container/fail-start.ts";
import { launch, writeTape } from "../runtime/container/launch.ts";
import { launcherEnvironment } from "../runtime/container/launcher-environment.ts";
import { type PreparedLaunch, prepareLaunch } from "../runtime/container/prepare-launch.ts";
import { readSpec } from "../runtime/container/read-spec.ts";
import { TsimgError } from "../sys/error.ts";
import { createContext } from "./create-context.ts";

/** How it is started, and which keys leave its terminal this time. */
type Mode = Parameters<typeof prepareLaunch>[2] & { readonly detachKeys?: string };

const DETACHED: Mode = { mode: "detached", interactive: false, autoRemove: false };

/** Starts a container that was made before in this process's place. Never returns. */
export async function startAgain(
  app: App,
  id: string,
  restarts?: Restarts,
  mode: Omit<Mode, "autoRemove"> = DETACHED,
): Promise<never> {
  const container = app.containers.claimStart(id, restarts);
  return await orFail(app, container, async () => {
    return await launch(builtProgram("launcher"), prepare(app, container, mode), app.paths);
  });
}

/** Starts a container in the background and waits until it runs. */
export async function startDetached(app: App, id: string): Promise<void> {
  const container = app.containers.claimStart(id);
  const tape = await orFail(app, container, async () => {
    return await writeTape(prepare(app, container, DETACHED), app.paths);
  });
  const stdio = ["ignore", "ignore", "inherit"] as const;
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  const { status, error } = spawnSync(builtProgram("launcher"), [tape], {
    stdio: [...stdio],
    env: launcherEnvironment(app.paths),
  });
  if (error !== undefined) throw error;
  if (status === 0) return;
  // The launcher has said why.
  throw new TsimgError("ERR_STATE", `container '${container.row.name}' could not be started`);
}

/** What the launcher is given can fail to be made: a volume may be gone, a port taken. */
async function orFail<T>(app: App, container: Container, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    failStart(app.containers, container, why);
    throw error;
  }
}

function prepare(
  app: App,
  { row, options }: Container,
  { detachKeys = options.detachKeys ?? undefined, ...mode }: Omit<Mode, "autoRemove">,
): PreparedLaunch {
  const spec = readSpec(app.containers.directory(row.id));
  const chosen = { ...options, detachKeys: detachKeys ?? null };
  const created = { id: row.id, snapshot: row.snapshot, spec, options: chosen };
  return prepareLaunch(createContext(app), created, { ...mode, autoRemove: row.auto_remove === 1 });
}
