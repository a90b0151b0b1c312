import type { App } from "../app.ts";
import type { Digest } from "../oci/digest.ts";
import type { Container } from "../runtime/container/container.ts";
import { healthOf, readHealthLog } from "../runtime/container/health.ts";
import { healthLog } from "../runtime/container/health-log.ts";
import type { MountPoint } from "../runtime/mounts/mount-point.ts";
import type { PublishedPort } from "../runtime/network/network-row.ts";
import { portsColumn } from "../runtime/network/ports-column.ts";
import { formatAge, formatDuration } from "./output/duration.ts";
import { ellipsis, shortId } from "./output/shorten.ts";
import { formatSize } from "./output/size.ts";
import type { FilteredContainer } from "./ps-filter.ts";

export const TITLES = {
  ID: "CONTAINER ID",
  Image: "IMAGE",
  Command: "COMMAND",
  CreatedAt: "CREATED AT",
  RunningFor: "CREATED",
  State: "STATE",
  Status: "STATUS",
  Ports: "PORTS",
  Names: "NAMES",
  Size: "SIZE",
  Labels: "LABELS",
  Mounts: "MOUNTS",
  LocalVolumes: "LOCAL VOLUMES",
  Networks: "NETWORKS",
  Platform: "PLATFORM",
} as const;

export type Field = keyof typeof TITLES;

/** A container with what a listing gathers of all of them at once. */
export interface ListedContainer {
  readonly container: Container;
  readonly ports: readonly PublishedPort[];
  /** Names and IDs. */
  readonly networks: readonly { readonly name: string; readonly id: string }[];
}

/** @param withSize whether its snapshot is measured, which takes a walk over it */
export function containerRow(
  app: App,
  { container, ports, networks }: ListedContainer,
  noTrunc: boolean,
  withSize: boolean,
): Readonly<Record<Field, string>> {
  const { row, options } = container;
  const line = commandOf(options.command);
  const mounts = options.points.map(mountName);
  return {
    ID: shortId(row.id, noTrunc),
    Image: row.image,
    Command: JSON.stringify(noTrunc ? line : ellipsis(line, 20)),
    CreatedAt: row.created,
    RunningFor: formatAge(Date.now() - Date.parse(row.created)),
    State: stateOf(container),
    Status: statusOf(app, container),
    Ports: portsColumn(ports, options.exposed),
    Names: row.name,
    Size: withSize ? sizeOf(app, container) : "",
    Labels: Object.entries(options.labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(","),
    Mounts: mounts.map((name) => (noTrunc ? name : ellipsis(name, 15))).join(","),
    LocalVolumes: String(options.points.filter(({ type }) => type === "volume").length),
    Networks: networks.map(({ name }) => name).join(","),
    // Docker's, too, is empty unless its images are containerd's.
    Platform: "",
  };
}

/** What it has written, and with that all that it sees. */
function sizeOf(app: App, { row }: Container): string {
  const own = app.snapshots.usage(row.snapshot).bytes;
  const image = app.images.get(row.manifest as Digest)?.size ?? 0;
  return `${formatSize(own)} (virtual ${formatSize(own + image)})`;
}

export function filteredContainer(
  app: App,
  { container, ports, networks }: ListedContainer,
): FilteredContainer {
  const { row, options, state } = container;
  const published = ports.map(({ container_port, protocol }) => `${container_port}/${protocol}`);
  const asked = options.network.exposed.map(({ port, protocol }) => `${port}/${protocol}`);
  return {
    id: row.id,
    name: row.name,
    labels: options.labels,
    status: stateOf(container),
    exitCode: state.status === "exited" ? state.exit.exitCode : undefined,
    created: row.created,
    manifest: row.manifest,
    networks: networks.flatMap(({ name, id }) => [name, id]),
    volumes: options.points.flatMap((point) => [mountName(point), point.destination]),
    published,
    exposed: [...published, ...asked, ...options.exposed],
    health: healthStatus(app, container) ?? "none",
  };
}

function stateOf({ state }: Container): string {
  return state.status === "running" && state.paused ? "paused" : state.status;
}

function mountName(point: MountPoint): string {
  if (point.type === "volume") return point.name;
  return point.type === "bind" ? point.source : "";
}

/** As docker shows it: words with spaces between single quotes, cut before it is quoted. */
function commandOf([program = "", ...words]: readonly string[]): string {
  return [program, ...words.map((word) => (word.includes(" ") ? `'${word}'` : word))].join(" ");
}

/** As docker words it: "Up 3 minutes", "Exited (0) 2 hours ago". */
function statusOf(app: App, container: Container): string {
  const { state } = container;
  const since = (time: string) => Date.now() - Date.parse(time);
  if (state.status === "created") return "Created";
  if (state.status === "running") {
    const health = healthStatus(app, container);
    const word = health === "starting" ? "health: starting" : health;
    const note = state.paused ? "Paused" : word;
    return `Up ${formatDuration(since(state.started.startedAt))}${note ? ` (${note})` : ""}`;
  }
  const { exitCode, finishedAt } = state.exit;
  const ended = state.status === "restarting" ? "Restarting" : "Exited";
  return `${ended} (${exitCode}) ${formatAge(since(finishedAt))}`;
}

/** Undefined without a check, and before the first start. */
function healthStatus(app: App, { row, options, state }: Container): string | undefined {
  const started = state.status === "created" ? undefined : state.started;
  if (options.health === null || started === undefined) return undefined;
  const log = readHealthLog(healthLog(app.containers.stateDirectory(row.id)));
  return healthOf(options.health, log, started.startedAt).Status;
}
