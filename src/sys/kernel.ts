import { release } from "node:os";
import { TsimgError } from "./error.ts";

/** What launching a container needs: mount_setattr(2) and overlay's own extended attributes. */
const LEAST = [5, 15] as const;

/** Whether a kernel, by its release such as "6.1.0-18-amd64", is `major.minor` or newer. */
export function kernelIsAtLeast(major: number, minor: number, kernel: string = release()): boolean {
  const [first = 0, second = 0] = kernel.split(".").map((part) => Number.parseInt(part, 10));
  return first > major || (first === major && second >= minor);
}

/** @throws TsimgError ERR_KERNEL when containers can't be run on this kernel */
export function requireKernel(kernel: string = release()): void {
  if (kernelIsAtLeast(...LEAST, kernel)) return;
  throw new TsimgError(
    "ERR_KERNEL",
    `Linux ${LEAST.join(".")} or newer is needed, this is ${kernel}`,
    {
      hint: "update the kernel; pulling and listing images works with this one",
    },
  );
}
