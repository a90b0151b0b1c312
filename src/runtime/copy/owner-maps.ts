import { readFileSync, readlinkSync } from "node:fs";
import type { IdMapping } from "../../oci/runtime-spec.ts";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import type { Container } from "../container/container.ts";
import type { IdMaps } from "../userns/choose-maps.ts";
import type { Owner } from "./describe.ts";

/** What a container shows of a file whose owner isn't one of its own. */
const NOBODY = 65_534;

/**
 * The maps by which a container sees the owners of its files: its own, or those of the user
 * namespace that it was put into. Undefined where it sees them as the caller does.
 */
export function ownerMaps({ options, state }: Container): IdMaps | undefined {
  if (options.maps !== null) return options.maps;
  if (state.status !== "running") return undefined;
  const { pid } = state.started;
  const namespace = (process: string) =>
    tolerating(["ENOENT"], () => readlinkSync(`/proc/${process}/ns/user`));
  const theirs = namespace(String(pid));
  if (theirs === undefined || theirs === namespace("self")) return undefined;
  const read = (file: string) => parseMap(readFileSync(`/proc/${pid}/${file}`, "utf8"));
  return { uidMappings: read("uid_map"), gidMappings: read("gid_map") };
}

/** Lines such as `0 100000 65536`. @see user_namespaces(7) */
export function parseMap(text: string): readonly IdMapping[] {
  return text
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([containerID = 0, hostID = 0, size = 0]) => ({ containerID, hostID, size }));
}

/**
 * Who an owner in a container is on the host.
 * @throws TsimgError ERR_USAGE for an ID that the container hasn't got
 */
export function toHost(maps: IdMaps | undefined, { uid, gid }: Owner): Owner {
  if (maps === undefined) return { uid, gid };
  return {
    uid: hostId(maps.uidMappings, uid, "user"),
    gid: hostId(maps.gidMappings, gid, "group"),
  };
}

/** Whom the container takes an owner on the host for. */
export function toContainer(maps: IdMaps | undefined, { uid, gid }: Owner): Owner {
  if (maps === undefined) return { uid, gid };
  return { uid: containerId(maps.uidMappings, uid), gid: containerId(maps.gidMappings, gid) };
}

/** Somebody on the host whom the container knows: its root, as a rule. */
export function firstOwner({ uidMappings, gidMappings }: IdMaps): Owner {
  return { uid: uidMappings[0]?.hostID ?? 0, gid: gidMappings[0]?.hostID ?? 0 };
}

function hostId(mappings: readonly IdMapping[], id: number, what: "user" | "group"): number {
  const range = mappings.find(({ containerID: first, size }) => id >= first && id < first + size);
  if (range !== undefined) return range.hostID + (id - range.containerID);
  throw new TsimgError("ERR_USAGE", `${what} ${id} is not in the container's user namespace`, {
    hint: "give the container a larger map, as --userns private:size=N does; cp: or leave out --archive",
  });
}

function containerId(mappings: readonly IdMapping[], id: number): number {
  const range = mappings.find(({ hostID: first, size }) => id >= first && id < first + size);
  return range === undefined ? NOBODY : range.containerID + (id - range.hostID);
}
