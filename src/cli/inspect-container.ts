import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { App } from "../app.ts";
import type { Digest } from "../oci/digest.ts";
import type { Spec } from "../oci/runtime-spec.ts";
import type { Container, ContainerState } from "../runtime/container/container.ts";
import { healthOf, readHealthLog } from "../runtime/container/health.ts";
import { healthLog } from "../runtime/container/health-log.ts";
import type { NetworkChoice } from "../runtime/network/network-choice.ts";
import { networkSettings, publishedPorts } from "../runtime/network/network-settings.ts";
import { NetworkStore } from "../runtime/network/network-store.ts";
import { tolerating } from "../sys/errno.ts";
import { containerConfig } from "./inspect-config.ts";
import { hostConfig, mountPoints } from "./inspect-host-config.ts";

/** Docker's word for a moment that hasn't come. */
const NEVER = "0001-01-01T00:00:00Z";

/** A container as docker's inspect shows it; `Spec` is the runtime spec it was started by. */
export function inspectContainer(app: App, container: Container): object {
  const { row, options, state } = container;
  const bundle = app.containers.stateDirectory(row.id);
  const read = (directory: string) =>
    tolerating(["ENOENT"], () => readFileSync(join(directory, "config.json"), "utf8"));
  const text = read(bundle) ?? read(app.containers.directory(row.id));
  const spec = text === undefined ? null : (JSON.parse(text) as Spec);
  const snapshot = app.snapshots.get(row.snapshot);
  return {
    Id: row.id,
    Name: `/${row.name}`,
    Created: row.created,
    Path: options.command[0] ?? "",
    Args: options.command.slice(1),
    State: { ...stateObject(state), ...healthOfContainer(app, container) },
    // Gone when it was removed by force.
    Image: app.images.get(row.manifest as Digest)?.configDigest ?? "",
    ImageDigest: row.manifest,
    ResolvConfPath: join(bundle, "resolv.conf"),
    HostnamePath: join(bundle, "hostname"),
    HostsPath: join(bundle, "hosts"),
    LogPath: options.logFile ?? "",
    RestartCount: row.restarts,
    Driver: snapshot?.driver ?? "",
    Platform: "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: spec?.process.apparmorProfile ?? "",
    ExecIDs: null,
    HostConfig: {
      AutoRemove: row.auto_remove === 1,
      ...hostConfig(spec, options),
    },
    Mounts: mountPoints(options.points ?? [], app.paths.volumes),
    Config: containerConfig(spec, options, row.image),
    NetworkSettings: networkSettingsOf(app, container),
    GraphDriver: {
      Name: snapshot?.driver ?? "",
      Data: snapshot === undefined ? {} : app.snapshots.paths(row.snapshot),
    },
    BundlePath: bundle,
    Spec: spec,
  };
}

function networkSettingsOf(app: App, { row, options, state }: Container): object {
  const { database } = app;
  const pid = state.status === "running" ? state.started.pid : undefined;
  const store = new NetworkStore(app.containers.networks);
  return networkSettings({
    members: store.memberships(row.id),
    asked: networksOf(options.network.choice),
    networks: store.list(),
    ports: publishedPorts(database).get(row.id) ?? [],
    exposed: options.exposed,
    sandbox: pid === undefined ? "" : `/proc/${pid}/ns/net`,
  });
}

function networksOf(choice: NetworkChoice): readonly string[] {
  if (choice.kind === "networks") return choice.attachments.map(({ network }) => network);
  return choice.kind === "none" || choice.kind === "host" ? [choice.kind] : [];
}

function healthOfContainer(app: App, { row, options, state }: Container): object {
  const started = state.status === "created" ? undefined : state.started;
  if (options.health === null || started === undefined) return {};
  const log = readHealthLog(healthLog(app.containers.stateDirectory(row.id)));
  return { Health: healthOf(options.health, log, started.startedAt) };
}

function stateObject(state: ContainerState): object {
  const running = state.status === "running";
  const started = state.status === "created" ? undefined : state.started;
  const exit = state.status === "exited" || state.status === "restarting" ? state.exit : undefined;
  const paused = state.status === "running" && state.paused;
  return {
    Status: paused ? "paused" : state.status,
    Running: running,
    Paused: paused,
    Restarting: state.status === "restarting",
    OOMKilled: exit?.oomKilled ?? false,
    Dead: false,
    Pid: running ? (started?.pid ?? 0) : 0,
    ExitCode: exit?.exitCode ?? 0,
    Error: exit?.error ?? "",
    StartedAt: started?.startedAt ?? NEVER,
    FinishedAt: exit?.finishedAt ?? NEVER,
  };
}
