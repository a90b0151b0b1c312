import type { Spec } from "../oci/runtime-spec.ts";
import type { ContainerOptions } from "../runtime/container/container.ts";
import type { HealthCheck } from "../runtime/container/health.ts";

/**
 * What docker's inspect calls Config: what is in the container.
 *
 * @param image as the user named it
 */
export function containerConfig(spec: Spec | null, options: ContainerOptions, image: string) {
  const { given, network, health, stopTimeout } = options;
  const ports = [
    ...options.exposed,
    ...network.exposed.map(({ port, protocol }) => `${port}/${protocol}`),
    ...network.publish.map(({ port, protocol }) => `${port}/${protocol}`),
  ];
  const attach = given?.attach ?? [];
  const shows = (stream: "stdout" | "stderr") =>
    attach.length === 0 ? !options.detached : attach.includes(stream);
  const takesInput = attach.includes("stdin") || (options.interactive && !options.detached);
  return {
    Hostname: spec?.hostname ?? "",
    Domainname: network.domainname ?? "",
    User: given?.user ?? "",
    AttachStdin: takesInput,
    AttachStdout: shows("stdout"),
    AttachStderr: shows("stderr"),
    ExposedPorts: nameSet(ports),
    Tty: options.tty,
    OpenStdin: options.interactive,
    StdinOnce: options.interactive && takesInput,
    Env: spec?.process.env ?? [],
    Cmd: given?.cmd ?? options.command,
    ...(health === null ? {} : { Healthcheck: healthConfig(health) }),
    Image: image,
    Volumes: given === undefined || given.volumes.length === 0 ? null : nameSet(given.volumes),
    WorkingDir: spec?.process.cwd ?? "",
    Entrypoint: given === undefined || given.entrypoint.length === 0 ? null : given.entrypoint,
    Labels: options.labels,
    StopSignal: options.stopSignal,
    ...(stopTimeout === null ? {} : { StopTimeout: stopTimeout }),
  };
}

/** Docker's sets are objects with empty members. */
function nameSet(names: readonly string[]): object {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

/** With times in nanoseconds. */
function healthConfig({ command, retries, ...times }: HealthCheck): object {
  const [shell, flag, line] = command;
  const isLine = shell === "/bin/sh" && flag === "-c" && command.length === 3;
  return {
    Test: isLine ? ["CMD-SHELL", line] : ["CMD", ...command],
    Interval: times.interval * 1e6,
    Timeout: times.timeout * 1e6,
    StartPeriod: times.startPeriod * 1e6,
    StartInterval: times.startInterval * 1e6,
    Retries: retries,
  };
}
