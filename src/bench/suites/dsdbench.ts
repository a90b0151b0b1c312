import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
} from "node:fs";
import { Content } from "../content.ts";
import type { Measure } from "../measure.ts";
import { Chain } from "../place/chain.ts";
import { inDirectory } from "../place/in-directory.ts";
import { openWritable } from "../place/writable.ts";
import type { Recorder, Session, SetUp, Suite } from "../suite.ts";

const KiB = 1 << 10;
const MiB = 1 << 20;
/** Appended to a file of the image, one at a time. */
const APPENDS = 500;
const BIG = 128 * MiB;
const SMALL_FILES = 2000;
/** Directories in each directory, and how deep. */
const BRANCHES = 6;
const DEPTH = 4;

const duration = (name: string): Measure => ({ name, unit: "seconds", better: "less" });
const APPEND = duration(`append 4 KiB ${APPENDS} times`);
const READ_BACK = duration("read it back");
const WRITE_BIG = duration("write 128 MiB");
const READ_BIG = duration("read 128 MiB");
const WRITE_SMALL = duration(`write ${SMALL_FILES} files`);
const READ_SMALL = duration(`read ${SMALL_FILES} files`);
const MAKE_TREE = duration("make a tree of directories");
const DELETE_TREE = duration("delete the tree");

/** Plain file work in a container. */
export const dsdbench: Suite = {
  name: "dsdbench",
  question: "How fast is plain file work inside a container?",
  method: `In a writable snapshot: 4 KiB are appended ${APPENDS} times to a file of the image, opened and closed each time, and read back; a file of 128 MiB, ${SMALL_FILES} files of 4 KiB and a tree of ${treeSize()} directories are written and read or deleted again. Nothing is flushed in between: caches are part of it.`,
  source:
    "dsdbench, J. Petazzoni's benchmark of docker's storage drivers: append, big file, small files, file tree",
  weight: 8,
  warmsUp: true,
  usual: false,
  open: openFileWork,
};

function openFileWork({ place, workload }: SetUp): Session {
  const content = new Content(workload.seed);
  const chain = new Chain(place);
  try {
    chain.add((root) => content.write(`${root}/log`, MiB));
  } catch (error) {
    chain[Symbol.dispose]();
    throw error;
  }
  return {
    round(recorder) {
      using container = openWritable(place, chain.ids);
      inDirectory(container.root, () => {
        appends(content, recorder);
        bigFile(content, recorder);
        smallFiles(content, recorder);
        fileTree(recorder);
      });
    },
    async [Symbol.asyncDispose]() {
      chain[Symbol.dispose]();
    },
  };
}

function appends(content: Content, recorder: Recorder): void {
  recorder.time(APPEND, () => {
    for (let count = 0; count < APPENDS; count++) appendFileSync("log", content.next(4 * KiB));
  });
  recorder.time(READ_BACK, () => readFileSync("log"));
}

function bigFile(content: Content, recorder: Recorder): void {
  recorder.time(WRITE_BIG, () => content.write("big", BIG));
  const buffer = Buffer.alloc(MiB);
  recorder.time(READ_BIG, () => {
    const fd = openSync("big", "r");
    while (readSync(fd, buffer) > 0);
    closeSync(fd);
  });
}

function smallFiles(content: Content, recorder: Recorder): void {
  mkdirSync("small");
  recorder.time(WRITE_SMALL, () => {
    for (let file = 0; file < SMALL_FILES; file++) content.write(`small/${file}`, 4 * KiB);
  });
  recorder.time(READ_SMALL, () => {
    for (const name of readdirSync("small")) readFileSync(`small/${name}`);
  });
}

function fileTree(recorder: Recorder): void {
  recorder.time(MAKE_TREE, () => makeTree("tree", DEPTH));
  recorder.time(DELETE_TREE, () => rmSync("tree", { recursive: true }));
}

function makeTree(path: string, depth: number): void {
  mkdirSync(path);
  if (depth === 0) return;
  for (let branch = 0; branch < BRANCHES; branch++) makeTree(`${path}/${branch}`, depth - 1);
}

function treeSize(): number {
  return (BRANCHES ** (DEPTH + 1) - 1) / (BRANCHES - 1);
}
