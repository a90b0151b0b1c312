import fc from "fast-check";
import { expect, it } from "vitest";
import {
  type Change,
  type ChangeMeta,
  device,
  dir,
  fifo,
  file,
  link,
  opaque,
  remove,
  symlink,
} from "../../fixtures/layers/change.ts";
import { TsimgError } from "../../src/sys/error.ts";
import { KEEPS_ALL, type Keeps } from "./keeps.ts";
import { applyLayer, type ModelDirectory, Refused, Unsettled } from "./model.ts";
import { expectSame, linesOfModel } from "./tree-lines.ts";
import { type MakeDriver, Workshop } from "./workshop.ts";

/** The same hundred each time; TSIMG_RANDOM_LAYERS=10000 tries so many new ones. */
const WANTED = process.env["TSIMG_RANDOM_LAYERS"];
const RUNS = Number(WANTED ?? 100);

/** Few names, so that most changes meet others. */
const name = fc.constantFrom("a", "b", "c");
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const target = fc.oneof(
  path,
  path.map((to) => `/${to}`),
  name.map((to) => `../${to}`),
);
const meta = fc.record({
  mode: fc.constantFrom(0o755, 0o700, 0o4711, 0o2770, 0o1777),
  uid: fc.constantFrom(0, 1, 1000),
  mtime: fc.constantFrom(0, 5, 1_700_000_000),
});
const content = fc.constantFrom("", "1", "22");

/** Changes as plain values, which print as one would write them. */
const plan = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant("dir"), path, meta) },
  { weight: 5, arbitrary: fc.tuple(fc.constant("file"), path, meta, content) },
  { weight: 4, arbitrary: fc.tuple(fc.constant("remove"), path) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("link"), path, path) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("opaque"), fc.oneof(path, fc.constant(""))) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("fifo"), path) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("device"), path) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("symlink"), path, target) },
);
type Plan = readonly [kind: string, path: string, ...rest: readonly (ChangeMeta | string)[]];

function changeOf([kind, path, first, second]: Plan): Change {
  const [text, how] = typeof first === "object" ? [String(second ?? ""), first] : [first ?? "", {}];
  switch (kind) {
    case "dir":
      return dir(path, how);
    case "file":
      return file(path, text, how);
    case "remove":
      return remove(path);
    case "link":
      return link(path, text);
    case "opaque":
      return opaque(path);
    case "fifo":
      return fifo(path);
    case "device":
      return device("char", path, [1, 3]);
    default:
      return symlink(path, text);
  }
}

const layers = fc.array(fc.array(plan, { maxLength: 8 }), { minLength: 1, maxLength: 4 });

/** Random layers: the driver shows what the model says, and refuses what it refuses. */
export function describeRandomLayers(makeDriver: MakeDriver, keeps: Keeps = KEEPS_ALL): void {
  it(`shows the tree that random layers make (${RUNS} runs)`, async () => {
    using workshop = new Workshop(makeDriver);
    const property = fc.asyncProperty(layers, async (plans) => {
      const stack = plans.map((layer) => layer.map(changeOf));
      const expected = modelOf(stack, keeps);
      if (expected === "unsettled") return;
      const actual = await shownBy(workshop, stack);
      if (actual === "written twice") return;
      // Who writes through symlinks below may be refused where the model finds a way.
      if (actual === "refused" && plans.flat().some(([kind]) => kind === "symlink")) return;
      if (typeof expected === "string" || typeof actual === "string") expect(actual).toBe(expected);
      else expectSame(expected, actual);
      workshop.removeAll();
    });
    await fc.assert(property, { numRuns: RUNS, ...(WANTED === undefined && { seed: 1 }) });
  }, 3_600_000);
}

function modelOf(stack: readonly (readonly Change[])[], keeps: Keeps) {
  try {
    const root = stack.reduce<ModelDirectory | undefined>(applyLayer, undefined);
    return root === undefined ? "empty" : linesOfModel(root, keeps);
  } catch (error) {
    if (error instanceof Refused) return "refused";
    if (error instanceof Unsettled) return "unsettled";
    throw error;
  }
}

async function shownBy(workshop: Workshop, stack: readonly (readonly Change[])[]) {
  try {
    const top = await workshop.stackHere(stack);
    return top === null ? "empty" : workshop.look(top);
  } catch (error) {
    if (error instanceof TsimgError && error.message.includes("is written twice"))
      return "written twice";
    if (error instanceof TsimgError && /^ERR_LAYER_/.test(error.code)) return "refused";
    throw error;
  }
}
