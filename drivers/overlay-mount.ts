import { release } from "node:os";
import { TsimgError } from "../src/sys/error.ts";
import { kernelIsAtLeast } from "../src/sys/kernel.ts";
import type { MountSpec } from "../src/sys/mount-spec.ts";
import { inUserNamespace } from "../src/sys/user-namespace.ts";

/** Layers that the kernel stacks in one overlay (OVL_MAX_STACK). */
export const MAX_LOWER = 500;

/** Bytes of options that mount(2) takes: a page, with its final NUL. */
const PAGE = 4096;

export interface OverlayDirectories {
  /** Nearest first, relative to `home`. */
  readonly lower: readonly string[];
  readonly upper?: string;
  readonly work?: string;
  /**
   * Inode numbers that are unique in the whole mount, and one device for all files. Without,
   * layers on several file systems show as several devices, with numbers of their own.
   */
  readonly xino?: boolean;
}

/**
 * The mount of an overlay. Where the kernel takes layers one by one (`lowerdir+`, Linux
 * 6.8), that is used: no limit on their total length, no escaping of `:` and `,`.
 *
 * `index`, `redirect_dir` and `metacopy` are switched off whatever the kernel was built
 * with: they leave marks in `upper` that other tools, and a later layer diff, can't read.
 * @see Documentation/filesystems/overlayfs.rst
 */
export function overlayMount(
  home: string,
  directories: OverlayDirectories,
  kernel: string = release(),
): MountSpec {
  const { lower, upper, work, xino } = directories;
  if (lower.length > MAX_LOWER)
    throw new TsimgError("ERR_DRIVER", `overlay can't stack ${lower.length} layers`, {
      hint: `the kernel takes ${MAX_LOWER}: squash the image`,
    });
  const writable = upper === undefined || work === undefined ? [] : [upper, work];
  const [upperOption, workOption] =
    writable.length === 0 ? [] : [`upperdir=${upper}`, `workdir=${work}`];
  const unprivileged = inUserNamespace();
  const features = upper === undefined ? [] : featuresOff(unprivileged);
  const numbers = xino === true ? "xino=on" : undefined;
  // By an ordinary user: marks are then read where that user may write them.
  const attributes = unprivileged ? "userxattr" : undefined;
  const tail = [upperOption, workOption, ...features, numbers, attributes].filter(
    (option) => option !== undefined,
  );
  const base = { type: "overlay", source: "overlay", directory: home };
  if (hasLowerPlus(kernel)) {
    const each = lower.map((directory) => `lowerdir+=${directory}`);
    return { ...base, api: "fsconfig", options: [...each, ...tail] };
  }
  const options = [`lowerdir=${lower.join(":")}`, ...tail];
  const bytes = Buffer.byteLength(options.join(","));
  if (bytes >= PAGE)
    throw new TsimgError(
      "ERR_DRIVER",
      `${lower.length} layers are too many for this kernel's overlay`,
      {
        hint: `their mount options take ${bytes} bytes of ${PAGE}: Linux 6.8 or newer stacks up to ${MAX_LOWER}`,
      },
    );
  return { ...base, api: "mount", options };
}

/** With user attributes there are no redirects anyway, and the kernel refuses to hear of them. */
function featuresOff(unprivileged: boolean): readonly string[] {
  const redirects = unprivileged ? [] : ["redirect_dir=off"];
  return ["index=off", ...redirects, "metacopy=off"];
}

/** Whether overlay takes `lowerdir+` by fsconfig(2): since Linux 6.8. */
export function hasLowerPlus(kernel: string): boolean {
  return kernelIsAtLeast(6, 8, kernel);
}
