import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { kernelIsAtLeast } from "../../sys/kernel.ts";
import type { MountSpec } from "../../sys/mount-spec.ts";
import { mountPrivately } from "../../sys/private-mounts.ts";
import { emptyErofs } from "./empty-erofs.ts";
import { type Finding, reasonOf } from "./finding.ts";
import { tryIdmappedMount } from "./idmapped-mount.ts";

interface Probe {
  readonly name: string;
  /** What it is good for, or what goes on without it. */
  readonly use: string;
  readonly attempt: (place: Place) => void;
}

interface Place {
  readonly directory: string;
  readonly lower: string;
  readonly upper: string;
  readonly work: string;
  readonly merged: string;
}

const PROBES: readonly Probe[] = [
  {
    name: "lowerdir+",
    use: "up to 500 layers by fsconfig(2); without it about 130",
    attempt: ({ lower, upper, merged }) =>
      mountOnce(overlay("fsconfig", [`lowerdir+=${upper}`, `lowerdir+=${lower}`]), merged),
  },
  overlayProbe("userxattr", "userxattr", "overlay's marks in user.*, for user namespaces"),
  overlayProbe("metacopy", "metacopy=on", "chown without copying; tsimg leaves it off"),
  overlayProbe("redirect_dir", "redirect_dir=on", "renamed directories; tsimg leaves it off"),
  overlayProbe("index", "index=on", "hard links kept on copy-up; tsimg leaves it off"),
  {
    name: "file-backed erofs",
    use: "images mounted without a loop device",
    attempt: ({ directory, merged }) => {
      const image = join(directory, "image");
      writeFileSync(image, emptyErofs());
      mountOnce({ type: "erofs", source: image, options: ["ro"], api: "mount" }, merged);
    },
  },
  {
    name: "idmapped mounts",
    use: "one tree for containers with different users",
    attempt: ({ lower }) => tryIdmappedMount(lower),
  },
];

/**
 * What the kernel can do, tried on the store's own file system, in a mount namespace of this
 * process alone.
 * @param directory a place below the root for files that vanish again
 */
export function kernelFindings(directory: string): readonly Finding[] {
  const version: Finding = {
    area: "kernel",
    name: "version",
    state: kernelIsAtLeast(5, 15) ? "ok" : "missing",
    detail: `Linux ${release()}; 5.15 or newer is needed to run containers`,
    ...(!kernelIsAtLeast(5, 15) && { cure: "update the kernel" }),
  };
  return [version, ...PROBES.map((probe) => perform(probe, directory))];
}

function perform({ name, use, attempt }: Probe, directory: string): Finding {
  mkdirSync(directory, { recursive: true });
  const place = mkdtempSync(join(directory, "probe-"));
  const [lower, upper, work, merged] = ["lower", "upper", "work", "merged"].map((each) => {
    mkdirSync(join(place, each));
    return join(place, each);
  }) as [string, string, string, string];
  try {
    attempt({ directory: place, lower, upper, work, merged });
    return { area: "kernel", name, state: "ok", detail: use };
  } catch (error) {
    // Nothing that tsimg does depends on it, or it has another way.
    return { area: "kernel", name, state: "note", detail: `${use} (${reasonOf(error)})` };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** An overlay with one more option, which must still be there when it is mounted. */
function overlayProbe(name: string, option: string, use: string): Probe {
  return {
    name,
    use,
    attempt: ({ lower, upper, work, merged }) => {
      const options = [`lowerdir=${lower}`, `upperdir=${upper}`, `workdir=${work}`, option];
      mountOnce(overlay("mount", options), merged, option);
    },
  };
}

function overlay(api: MountSpec["api"], options: readonly string[]): MountSpec {
  return { type: "overlay", source: "overlay", options, api };
}

function mountOnce(spec: MountSpec, target: string, option?: string): void {
  using _mount = mountPrivately([spec], target, spec.type === "erofs" ? "ro" : "rw");
  // An overlay that lacks what an option needs is mounted without it.
  if (option !== undefined && !optionsOf(target).includes(option))
    throw new Error("the kernel dropped the option");
}

function optionsOf(target: string): readonly string[] {
  const line = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .find((each) => each.split(" ")[4] === target);
  return line?.split(" ").at(-1)?.split(",") ?? [];
}
