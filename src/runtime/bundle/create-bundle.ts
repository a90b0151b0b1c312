import {
  chownSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import type { Mount, Spec } from "../../oci/runtime-spec.ts";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { O_PATH } from "../../sys/open-within.ts";
import { randomHex } from "../../sys/random.ts";
import type { ContainerImage } from "../container/container.ts";
import type { CreateContext } from "../container/create-container.ts";
import { profileOf, readUserFile } from "../container/user-files.ts";
import { copyWhole } from "../copy/copy-whole.ts";
import { toHost } from "../copy/owner-maps.ts";
import { lookAt } from "../copy/source-node.ts";
import { createSpec } from "../create-spec.ts";
import { readHost } from "../host-facts.ts";
import { type MountPlan, planMounts } from "../mounts/plan-mounts.ts";
import { writeNetworkFiles } from "../network/network-files.ts";
import { type NetworkRequest, parseNetworkFlags } from "../network/network-request.ts";
import type { RunFlags } from "../run-flags.ts";
import { chooseModes, joinsOf } from "../spec/modes.ts";
import { chooseMaps, type IdMaps } from "../userns/choose-maps.ts";

/**
 * Writes an OCI bundle of an image: its root file system and the `config.json` by which
 * `tsimg run` would start it, for any OCI runtime.
 *
 *     <directory>/rootfs/       the image's tree, copied
 *                 hosts, hostname, resolv.conf
 *                 config.json   written last: without it there is no bundle
 *
 * The container's network namespace is its own and not connected, unless the flags say
 * otherwise: that is for the caller of the runtime to do. With mapped users the tree is theirs,
 * as runtimes want it that map no mounts.
 *
 * @throws TsimgError ERR_IN_USE when the directory isn't empty; ERR_USAGE for flags that need
 *   tsimg to be there when the container runs
 */
export function createBundle(
  { snapshots, paths }: Pick<CreateContext, "snapshots" | "paths">,
  image: ContainerImage,
  flags: RunFlags,
  directory: string,
): void {
  const bundle = resolve(directory);
  mkdirSync(bundle, { recursive: true });
  if (readdirSync(bundle).length > 0)
    throw new TsimgError("ERR_IN_USE", `'${directory}' is not empty`, {
      hint: "name a directory that isn't there, or an empty one",
    });
  const network = bundleNetwork(flags);
  const modes = chooseModes(flags, network);
  if (Object.keys(joinsOf(modes)).length > 0)
    throw new TsimgError("ERR_USAGE", "a bundle can't join a container's namespaces");
  const maps = chooseMaps(modes.user, flags, []);
  const spec = bundleSpec(image, flags, network, bundle, maps);
  const rootfs = join(bundle, "rootfs");
  if (image.top === null) mkdirSync(rootfs);
  else {
    using view = snapshots.open(image.top, "ro", paths.view);
    const root = openSync(`${view.path}/.`, O_PATH | constants.O_DIRECTORY);
    try {
      using node = lookAt(root, Buffer.from("."));
      copyWhole(node, rootfs, (owner) => toHost(maps, owner));
    } finally {
      closeSync(root);
    }
  }
  writeNetworkFiles(bundle, spec.hostname ?? "", network, []);
  const { uid, gid } = toHost(maps, { uid: 0, gid: 0 });
  for (const name of ["hosts", "hostname", "resolv.conf"])
    tolerating(["ENOENT"], () => chownSync(join(bundle, name), uid, gid));
  const config = join(bundle, "config.json");
  writeFileSync(`${config}.new`, `${JSON.stringify(spec, null, 2)}\n`);
  renameSync(`${config}.new`, config);
}

function bundleNetwork(flags: RunFlags): NetworkRequest {
  const chosen = flags.network.length + flags.net.length === 0 ? ["none"] : flags.network;
  const request = parseNetworkFlags({ ...flags, network: chosen });
  if (request.choice.kind !== "networks" && request.publish.length === 0) return request;
  throw new TsimgError("ERR_USAGE", "a bundle can't be in a network", {
    hint: "use --network none, host or ns:PATH, and connect the namespace yourself",
  });
}

function bundleSpec(
  image: ContainerImage,
  flags: RunFlags,
  network: NetworkRequest,
  bundle: string,
  maps: IdMaps | undefined,
): Spec {
  const plan = bundleMounts(flags);
  const { facts } = readHost(flags);
  const spec = createSpec({
    config: image.config,
    flags,
    network,
    containerId: randomHex(64),
    rootfs: "rootfs",
    accounts: image.accounts,
    envFiles: flags.envFile.map((path) => ({ path, text: readUserFile(path, "--env-file") })),
    ...profileOf(flags),
    filesDirectory: bundle,
    mounts: plan.mounts,
    ...(maps === undefined ? {} : { maps }),
    host: facts,
  });
  // Each container made of it gets a cgroup of its own from its runtime.
  const { cgroupsPath: _, ...linux } = spec.linux;
  return { ...spec, linux, mounts: spec.mounts.map(withoutMap) };
}

/** Mapped mounts are what not every runtime makes; the files belong to the mapped users. */
function withoutMap(mount: Mount): Mount {
  return { ...mount, options: mount.options.filter((option) => option !== "idmap") };
}

function bundleMounts(flags: RunFlags): MountPlan {
  const plan = planMounts({
    flags,
    imageVolumes: [],
    pointsOf: () => {
      throw new TsimgError("ERR_USAGE", "--volumes-from can't be used in a bundle");
    },
    volumeMount: () => undefined,
    volumesDirectory: "/",
    workingDirectory: process.cwd(),
    newName: () => randomHex(64),
  });
  if (plan.volumes.length > 0)
    throw new TsimgError("ERR_USAGE", "a bundle can't have volumes of a store", {
      hint: "mount a directory: -v /path:/destination",
    });
  for (const path of plan.directories)
    tolerating(["EEXIST"], () => mkdirSync(path, { recursive: true }));
  return plan;
}
