import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  writeSync,
} from "node:fs";
import { Content } from "../content.ts";
import type { Measure } from "../measure.ts";
import { Chain } from "../place/chain.ts";
import { withMetacopy } from "../place/metacopy.ts";
import type { Place } from "../place/place.ts";
import { openWritable } from "../place/writable.ts";
import { formatValue } from "../report/format-value.ts";
import type { Recorder, Session, SetUp, Suite } from "../suite.ts";

const KiB = 1 << 10;
const MiB = 1 << 20;

/** Something that changes a file. `again`: the second time, which undoes or repeats the first. */
interface Change {
  readonly name: string;
  perform(path: string, size: number, again: boolean): void;
}

const OPEN: Change = {
  name: "open to write",
  perform: (path) => closeSync(openSync(path, "r+")),
};
const APPEND: Change = { name: "append 1 B", perform: (path) => writeAt(path, "a", null, 1) };
const MIDDLE: Change = {
  name: "overwrite 4 B",
  perform: (path, size) => writeAt(path, "r+", size / 2, 4),
};
const CHMOD: Change = {
  name: "chmod",
  perform: (path, _, again) => chmodSync(path, again ? 0o644 : 0o600),
};
const CHOWN: Change = {
  name: "chown",
  perform: (path, _, again) => chownSync(path, again ? 0 : 1000, again ? 0 : 1000),
};
const RENAME: Change = {
  name: "rename",
  perform: (path, _, again) =>
    again ? renameSync(`${path}.new`, path) : renameSync(path, `${path}.new`),
};
const EVERY: readonly Change[] = [OPEN, APPEND, MIDDLE, CHMOD, CHOWN, RENAME];

/** Files of a size, and what is done to them. Each change has files of its own. */
interface Group {
  readonly size: number;
  readonly changes: readonly Change[];
  /** Files for each change. */
  readonly files: number;
  /** In every so many-th round only. */
  readonly every?: number;
}

/** The big ones come one in a layer, and are changed in a snapshot of their own. */
const GROUPS: readonly Group[] = [
  { size: 4 * KiB, changes: EVERY, files: 32 },
  { size: 64 * KiB, changes: EVERY, files: 32 },
  { size: MiB, changes: EVERY, files: 8 },
  { size: 16 * MiB, changes: EVERY, files: 1 },
  { size: 128 * MiB, changes: [APPEND, CHMOD], files: 1 },
  { size: 1024 * MiB, changes: [APPEND], files: 1, every: 3 },
];

/** The first change of a file from a layer against the second. */
export const copyUp: Suite = {
  name: "copyup",
  question: "What does the first change of a file from the image cost, and what the next?",
  method:
    "A sealed layer holds files of 4 KiB to 1 GiB. In a fresh writable snapshot each is changed once and then once more, each time opened and closed; every kind of change has files of its own; the largest in every third round. From 16 MiB on, making the container and the first change are also given together: a driver that copies everything beforehand pays there.",
  source: 'the cost that docker\'s documentation calls "copy_up", per size and kind of change',
  weight: 18,
  warmsUp: true,
  usual: true,
  variants: withMetacopy,
  open: openCopyUp,
};

function openCopyUp({ place, workload, late, note }: SetUp): Session {
  const content = new Content(workload.seed);
  const layers = new DisposableStack();
  const groups: { readonly group: Group; readonly chain: Chain }[] = [];
  try {
    for (const group of GROUPS) {
      if (groups.length > 0 && late()) {
        note(`files of ${formatValue(group.size, "bytes")} and more: no time to set them up`);
        break;
      }
      const chain = layers.use(new Chain(place));
      chain.add((root) => writeGroup(root, group, content));
      groups.push({ group, chain });
    }
  } catch (error) {
    layers.dispose();
    throw error;
  }
  let rounds = 0;
  return {
    async round(recorder) {
      const due = groups.filter(({ group: { every = 1 } }) => rounds % every === 0);
      rounds += 1;
      for (const { group, chain } of due) {
        // What the one before has left to be written would be in the way.
        await place.settle();
        changeGroup(place, group, chain, recorder);
      }
    },
    async [Symbol.asyncDispose]() {
      layers.dispose();
    },
  };
}

function writeGroup(root: string, { size, changes, files }: Group, content: Content): void {
  changes.forEach((_, change) => {
    mkdirSync(`${root}/${change}`);
    for (let file = 0; file < files; file++) content.write(`${root}/${change}/${file}`, size);
  });
}

function changeGroup(place: Place, group: Group, chain: Chain, recorder: Recorder): void {
  const { size, changes, files } = group;
  const start = performance.now();
  using container = openWritable(place, chain.ids);
  const made = (performance.now() - start) / 1000;
  changes.forEach((change, number) => {
    for (const [turn, again] of [
      ["first", false],
      ["second", true],
    ] as const)
      for (let file = 0; file < files; file++) {
        const path = `${container.root}/${number}/${file}`;
        const measure = measureOf(change, turn, size);
        const seconds = timed(() => change.perform(path, size, again));
        recorder.record(measure, seconds);
        if (change === APPEND && !again && files === 1)
          recorder.record(withContainer(size), made + seconds);
      }
  });
}

function measureOf({ name }: Change, turn: "first" | "second", size: number): Measure {
  return {
    name: `${name}, ${turn}`,
    parameter: { axis: "file size", value: size, unit: "bytes" },
    unit: "seconds",
    better: "less",
  };
}

/** Drivers that copy everything beforehand pay here, not at the change. */
function withContainer(size: number): Measure {
  return {
    name: "make a container, append 1 B",
    parameter: { axis: "file size", value: size, unit: "bytes" },
    unit: "seconds",
    better: "less",
  };
}

function timed(action: () => void): number {
  const start = process.hrtime.bigint();
  action();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

function writeAt(path: string, flags: string, position: number | null, bytes: number): void {
  const fd = openSync(path, flags);
  try {
    writeSync(fd, Buffer.alloc(bytes, 1), 0, bytes, position);
  } finally {
    closeSync(fd);
  }
}
