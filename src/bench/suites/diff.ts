import { appendFileSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import type { SnapshotId } from "../../../drivers/driver.ts";
import { programOutcome } from "../../sys/run-program.ts";
import { Content } from "../content.ts";
import type { Measure } from "../measure.ts";
import { Chain } from "../place/chain.ts";
import { openTree } from "../place/open-tree.ts";
import type { Place } from "../place/place.ts";
import { openWritable, type Writable } from "../place/writable.ts";
import type { Session, SetUp, Suite } from "../suite.ts";

const SIZES = [1000, 10_000, 100_000];
const FILES_IN_DIRECTORY = 100;
const CHANGED = 10;

/** Finding what a container has changed. */
export const diff: Suite = {
  name: "diff",
  question: "How long does it take to find 10 changed files among many?",
  method: `Of a layer with N small files ${CHANGED} are changed in a writable snapshot, and flushed. Then they are found by walking both trees and comparing each entry's size and times, and by what the driver itself knows: the upper directory of an overlay, btrfs subvolume find-new, zfs diff.`,
  source:
    "docker diff and commit, which containerd does by walking both trees unless its snapshotter knows better",
  weight: 20,
  warmsUp: true,
  usual: false,
  open: openDiff,
};

interface Prepared {
  readonly files: number;
  readonly chain: Chain;
}

function openDiff({ place, workload, late, note }: SetUp): Session {
  const content = new Content(workload.seed);
  const layers = new DisposableStack();
  const prepared: Prepared[] = [];
  try {
    for (const files of SIZES) {
      if (prepared.length > 0 && late()) {
        note(`trees of ${files} files and more: no time to set them up`);
        break;
      }
      const chain = layers.use(new Chain(place));
      chain.add((root) => writeFiles(root, files, content));
      prepared.push({ files, chain });
    }
  } catch (error) {
    layers.dispose();
    throw error;
  }
  return {
    async round(recorder) {
      for (const { files, chain } of prepared) {
        const parameter = { axis: "files", value: files, unit: "count" } as const;
        const measure = (name: string): Measure => ({
          ...{ name, parameter },
          unit: "seconds",
          better: "less",
        });
        using container = openWritable(place, chain.ids);
        const native = nativeDiff(place, container, chain.ids);
        for (let file = 0; file < CHANGED; file++)
          appendFileSync(`${container.root}/${pathOf(Math.floor((file * files) / CHANGED))}`, "+");
        await place.settle();
        const found = recorder.time(measure("walk both trees"), () => {
          const [top, ...parents] = chain.ids;
          if (top === undefined) return [];
          using base = openTree(place, top, parents, "ro");
          return changesBetween(`${base.path}/.`, container.root);
        });
        requireAll(found.length, "walking both trees");
        if (native === undefined) continue;
        requireAll(recorder.time(measure("ask the driver"), native), "the driver");
      }
    },
    async [Symbol.asyncDispose]() {
      layers.dispose();
    },
  };
}

function pathOf(file: number): string {
  return `d${Math.floor(file / FILES_IN_DIRECTORY)}/f${file}`;
}

function writeFiles(root: string, files: number, content: Content): void {
  for (let file = 0; file < files; file++) {
    if (file % FILES_IN_DIRECTORY === 0) mkdirSync(`${root}/d${file / FILES_IN_DIRECTORY}`);
    content.write(`${root}/${pathOf(file)}`, 100);
  }
}

/** A figure for finding something else would be worth nothing. */
function requireAll(found: number, who: string): void {
  if (found !== CHANGED) throw new Error(`${who} found ${found} changes of ${CHANGED}`);
}

/** Files of `after` that are other ones in `before`, as containerd's double walk finds them. */
function changesBetween(before: string, after: string, path = ""): readonly string[] {
  return readdirSync(`${after}/${path}`, { withFileTypes: true }).flatMap((entry) => {
    const own = `${path}${entry.name}`;
    if (entry.isDirectory()) return changesBetween(before, after, `${own}/`);
    const [old, now] = [before, after].map((root) =>
      lstatSync(`${root}/${own}`, { throwIfNoEntry: false }),
    );
    const same = old !== undefined && old.size === now?.size && old.mtimeMs === now.mtimeMs;
    return same ? [] : own;
  });
}

/**
 * What asks the driver, where it knows; undefined where it doesn't. Made before anything is
 * changed. The answer is the number of files.
 */
function nativeDiff(
  { driver }: Place,
  { id }: Writable,
  parents: readonly SnapshotId[],
): (() => number) | undefined {
  const paths = driver.paths(id, parents);
  const { UpperDir: upper, Subvolume: subvolume, Dataset: dataset } = paths;
  if (upper !== undefined) return () => filesBelow(upper);
  if (subvolume !== undefined) {
    const since = transactionOf(subvolume);
    return () => newFiles(subvolume, since).size;
  }
  const [parent] = parents;
  if (dataset === undefined || parent === undefined) return undefined;
  const base = driver.paths(parent, parents.slice(1))["Dataset"];
  if (programOutcome(["zfs", "diff"]).stderr.includes("unrecognized command")) return undefined;
  return () =>
    programOutcome(["zfs", "diff", "-H", `${base}@tsimg-seal`, dataset])
      .stdout.split("\n")
      .filter((line) => line.startsWith("M\t") && /\/f\d+$/.test(line)).length;
}

function filesBelow(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  ).length;
}

/** @see btrfs-subvolume(8), find-new: its last line tells the transaction it has looked up to */
function transactionOf(subvolume: string): number {
  const { stdout } = programOutcome(["btrfs", "subvolume", "find-new", subvolume, "999999999"]);
  return Number(/transid marker was (\d+)/.exec(stdout)?.[1]);
}

function newFiles(subvolume: string, since: number): ReadonlySet<string> {
  const argv = ["btrfs", "subvolume", "find-new", subvolume, String(since)];
  const { stdout } = programOutcome(argv);
  return new Set(stdout.split("\n").flatMap((line) => / flags \S+ (.+)$/.exec(line)?.[1] ?? []));
}
