import { randomHex } from "../../sys/random.ts";
import type { VolumeWish } from "./volume.ts";

/** What docker puts on volumes that nobody gave a name. */
const ANONYMOUS_LABEL = "com.docker.volume.anonymous";

/** A volume to be made. @param name without one it is anonymous */
export function newVolume(
  name: string | undefined,
  labels: Readonly<Record<string, string>>,
  options: Readonly<Record<string, string>>,
): VolumeWish {
  if (name !== undefined) return { name, anonymous: false, labels, options };
  const marked = { ...labels, [ANONYMOUS_LABEL]: "" };
  return { name: anonymousName(), anonymous: true, labels: marked, options };
}

/** The name of a volume that nobody named. */
export function anonymousName(): string {
  return randomHex(64);
}
