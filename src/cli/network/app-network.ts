import type { App } from "../../app.ts";
import type { Container } from "../../runtime/container/container.ts";
import type { RunningContainer } from "../../runtime/network/connect-network.ts";
import type { NetworkContext } from "../../runtime/network/network-context.ts";
import { NetworkStore } from "../../runtime/network/network-store.ts";
import { TsimgError } from "../../sys/error.ts";

/** The network side of a store. */
export function networkContext(app: App): NetworkContext {
  return app.containers.networks;
}

export function networkStore(app: App): NetworkStore {
  return new NetworkStore(networkContext(app));
}

/** @throws TsimgError ERR_NO_SUCH_CONTAINER, ERR_STATE when it doesn't run */
export function runningContainer(app: App, text: string): RunningContainer {
  const { row, state }: Container = app.containers.existing(text);
  if (state.status !== "running")
    throw new TsimgError("ERR_STATE", `container ${row.name} is not running`, {
      hint: "networks of a container that doesn't run are chosen when it is started",
    });
  const [known] = networkStore(app).memberships(row.id);
  const hostname = known?.hostname ?? row.id.slice(0, 12);
  return { id: row.id, name: row.name, pid: state.started.pid, hostname };
}
