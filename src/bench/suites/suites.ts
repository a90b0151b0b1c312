import { TsimgError } from "../../sys/error.ts";
import type { Suite } from "../suite.ts";
import { containerd16 } from "./containerd16.ts";
import { copyUp } from "./copyup.ts";
import { density } from "./density.ts";
import { depth } from "./depth.ts";
import { diff } from "./diff.ts";
import { dsdbench } from "./dsdbench.ts";
import { io } from "./io.ts";
import { lifecycle } from "./lifecycle.ts";
import { slacker } from "./slacker.ts";
import { tree } from "./tree.ts";

/** In the order in which they run. */
export const SUITES: readonly Suite[] = [
  lifecycle,
  copyUp,
  depth,
  containerd16,
  tree,
  density,
  slacker,
  dsdbench,
  io,
  diff,
];

/**
 * The suites of these names, or the usual ones when there are none.
 * @throws TsimgError ERR_USAGE for a name that none has
 */
export function suitesNamed(names: readonly string[]): readonly Suite[] {
  if (names.length === 0) return SUITES.filter(({ usual }) => usual);
  const unknown = names.find((name) => name !== "all" && !SUITES.some((it) => it.name === name));
  if (unknown !== undefined)
    throw new TsimgError("ERR_USAGE", `there is no suite '${unknown.slice(0, 64)}'`, {
      hint: `there are ${SUITES.map(({ name }) => name).join(", ")}, and all; see tsimg bench ls`,
    });
  return names.includes("all") ? SUITES : SUITES.filter(({ name }) => names.includes(name));
}
