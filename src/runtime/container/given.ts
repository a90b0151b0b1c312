import { resolve } from "node:path";
import type { ContainerConfig } from "../../oci/image-config.ts";
import type { RunFlags } from "../run-flags.ts";
import { parseAttach, type StreamName } from "./attached-streams.ts";

/**
 * What its user and its image asked of a container, for inspections: the spec says what came
 * of it together with all defaults.
 */
export interface GivenOptions {
  readonly user: string;
  /** As `<source>:<destination>[:<options>]`. */
  readonly binds: readonly string[];
  /** As `<destination>[:<options>]`. */
  readonly tmpfs: readonly string[];
  readonly volumesFrom: readonly string[];
  /** Paths by the image. */
  readonly volumes: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly privileged: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly securityOpt: readonly string[];
  readonly ulimit: readonly string[];
  readonly sysctl: readonly string[];
  readonly device: readonly string[];
  readonly groupAdd: readonly string[];
  /** Modes as given; empty: not given. */
  readonly pid: string;
  readonly ipc: string;
  readonly uts: string;
  readonly cgroupns: string;
  readonly userns: string;
  /** Absent in containers of before. */
  readonly attach?: readonly StreamName[];
}

export function givenOptions(flags: RunFlags, image: ContainerConfig): GivenOptions {
  const { entrypoint, command } = flags;
  const { capAdd, capDrop, securityOpt, ulimit, sysctl, device, groupAdd } = flags;
  const { pid = "", ipc = "", uts = "", cgroupns = "", userns = "" } = flags;
  return {
    user: flags.user ?? image.User,
    binds: flags.volume.filter((text) => text.includes(":")).map(withWholePath),
    tmpfs: flags.tmpfs,
    volumesFrom: flags.volumesFrom,
    volumes: image.Volumes,
    entrypoint: entrypoint === undefined ? image.Entrypoint : [entrypoint].filter((one) => one),
    cmd: command.length > 0 || entrypoint !== undefined ? command : image.Cmd,
    privileged: flags.privileged,
    ...{ capAdd, capDrop, securityOpt, ulimit, sysctl, device, groupAdd },
    ...{ pid, ipc, uts, cgroupns, userns },
    attach: parseAttach(flags.attach),
  };
}

/** What begins with a dot is a path from where the caller is. */
function withWholePath(text: string): string {
  const colon = text.indexOf(":");
  return text.startsWith(".") ? resolve(text.slice(0, colon)) + text.slice(colon) : text;
}
