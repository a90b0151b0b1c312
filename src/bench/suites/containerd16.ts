import { closeSync, openSync, writeSync } from "node:fs";
import { Content } from "../content.ts";
import type { Measure } from "../measure.ts";
import { Chain } from "../place/chain.ts";
import { openTree } from "../place/open-tree.ts";
import type { Session, SetUp, Suite } from "../suite.ts";

const LAYERS = 16;
const FILES = 10;
const SIZE = 1_000_000;
/** What each layer changes in the middle of every file. */
const CHANGE = 100_000;

const duration = (name: string): Measure => ({ name, unit: "seconds", better: "less" });
const PREPARE = duration("prepare and mount a layer");
const WRITE = duration("change 10 files in it");
const COMMIT = duration("commit it");
const FLUSH = duration("flush them to the disk");
const ALL = duration("all 16 layers, flushed");

/** Building an image of sixteen layers. */
export const containerd16: Suite = {
  name: "containerd16",
  question: "What does it cost to build layers on layers?",
  method:
    "16 layers of 10 files of 1 MB: the first layer makes them, each later one overwrites 100 kB in the middle of every file. Preparing and mounting, writing, and committing are timed apart, per layer; then all is flushed (syncfs), which zfs-fuse takes for nothing.",
  source: "the shape of containerd's snapshotter benchmark (16 layers, 10 files of 1 MB)",
  weight: 6,
  warmsUp: true,
  usual: true,
  open: openLayers,
};

function openLayers({ place, workload }: SetUp): Session {
  const content = new Content(workload.seed);
  return {
    async round(recorder) {
      using chain = new Chain(place);
      const start = performance.now();
      for (let layer = 0; layer < LAYERS; layer++) {
        const id = place.nextId();
        const parents = chain.ids;
        // Its ids are the chain's from here on, so that it goes whatever happens.
        chain.ids = [id, ...parents];
        const tree = recorder.time(PREPARE, () => {
          place.driver.create(id, parents);
          return openTree(place, id, parents, "rw");
        });
        try {
          recorder.time(WRITE, () => changeFiles(tree.path, content, layer === 0));
        } finally {
          tree[Symbol.dispose]();
        }
        recorder.time(COMMIT, () => place.driver.seal(id, parents));
      }
      const written = performance.now();
      await place.settle();
      recorder.record(FLUSH, (performance.now() - written) / 1000);
      recorder.record(ALL, (performance.now() - start) / 1000);
    },
    async [Symbol.asyncDispose]() {},
  };
}

function changeFiles(root: string, content: Content, fresh: boolean): void {
  for (let file = 0; file < FILES; file++) {
    const path = `${root}/./file-${file}`;
    if (fresh) content.write(path, SIZE);
    else overwrite(path, content.next(CHANGE));
  }
}

function overwrite(path: string, bytes: Buffer): void {
  const fd = openSync(path, "r+");
  try {
    writeSync(fd, bytes, 0, bytes.length, (SIZE - CHANGE) / 2);
  } finally {
    closeSync(fd);
  }
}
