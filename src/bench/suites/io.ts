import { closeSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { programOutcome, programPath } from "../../sys/run-program.ts";
import { Content, randomWords } from "../content.ts";
import type { Measure } from "../measure.ts";
import { Chain } from "../place/chain.ts";
import { openWritable } from "../place/writable.ts";
import type { Session, SetUp, Suite } from "../suite.ts";

const KiB = 1 << 10;
const MiB = 1 << 20;
const SIZE = 64 * MiB;

/** One way to go over a file. */
interface Pattern {
  readonly name: string;
  /** As fio has it. */
  readonly kind: "read" | "write" | "randread" | "randwrite";
  readonly block: number;
  /** After every write. */
  readonly fsync: boolean;
  /** Bytes to go over. */
  readonly amount: number;
}

const PATTERNS: readonly Pattern[] = [
  { name: "read 128 KiB, sequential", kind: "read", block: 128 * KiB, fsync: false, amount: SIZE },
  { name: "read 4 KiB, random", kind: "randread", block: 4 * KiB, fsync: false, amount: 8 * MiB },
  {
    name: "write 128 KiB, sequential",
    kind: "write",
    block: 128 * KiB,
    fsync: false,
    amount: SIZE,
  },
  { name: "write 4 KiB, random", kind: "randwrite", block: 4 * KiB, fsync: false, amount: 8 * MiB },
  { name: "write 4 KiB + fsync", kind: "randwrite", block: 4 * KiB, fsync: true, amount: MiB },
];

/** Throughput on files of the image. */
export const io: Suite = {
  name: "io",
  question: "What throughput does a container get on files of its image?",
  method:
    "A file of 64 MiB from a sealed layer is read and written in a writable snapshot of its own for each pattern, after the machine's caches were dropped. By fio (psync, one job) where it is installed, else by a loop of tsimg's own, which is then noted.",
  source: "fio's basic patterns, as used in papers on docker's storage drivers",
  weight: 10,
  warmsUp: false,
  usual: false,
  open: openPatterns,
};

function openPatterns({ place, workload, note }: SetUp): Session {
  const content = new Content(workload.seed);
  const fio = programPath("fio") !== undefined;
  if (!fio) note("fio is not installed: measured by a loop of tsimg's own");
  return {
    async round(recorder) {
      using chain = new Chain(place);
      chain.add((root) => content.write(`${root}/file`, SIZE));
      for (const pattern of PATTERNS) {
        using container = openWritable(place, chain.ids);
        place.chill();
        const path = `${container.root}/file`;
        recorder.record(
          { name: pattern.name, unit: "bytes/s", better: "more" } satisfies Measure,
          fio ? byFio(pattern, path, workload.seed) : byOwnLoop(pattern, path, workload.seed),
        );
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** @returns bytes a second @see fio(1) */
function byFio({ kind, block, fsync, amount }: Pattern, path: string, seed: number): number {
  const argv = [
    ...["fio", "--name=tsimg", "--output-format=json", "--ioengine=psync", "--thread"],
    // Its own /proc/self is another process's.
    `--filename=${path.replace("/proc/self/", `/proc/${process.pid}/`)}`,
    `--rw=${kind}`,
    `--bs=${block}`,
    `--size=${SIZE}`,
    `--io_size=${amount}`,
    `--randseed=${seed}`,
    "--invalidate=0",
    "--allow_file_create=0",
    ...(fsync ? ["--fsync=1"] : kind.endsWith("write") ? ["--end_fsync=1"] : []),
  ];
  const { status, stdout, stderr } = programOutcome(argv);
  if (status !== 0) throw new Error(`fio ended with status ${status}: ${stderr.trim()}`);
  const { jobs } = JSON.parse(stdout.slice(stdout.indexOf("{"))) as {
    jobs: { job_runtime: number }[];
  };
  return amount / ((jobs[0]?.job_runtime ?? Number.NaN) / 1000);
}

/** @returns bytes a second */
function byOwnLoop(pattern: Pattern, path: string, seed: number): number {
  const { kind, block, fsync, amount } = pattern;
  const random = randomWords(seed);
  const buffer = Buffer.alloc(block, 1);
  const fd = openSync(path, kind.endsWith("read") ? "r" : "r+");
  const start = performance.now();
  try {
    for (let done = 0; done < amount; done += block) {
      const at = kind.startsWith("rand") ? (random() % (SIZE / block)) * block : done;
      if (kind.endsWith("read")) readSync(fd, buffer, 0, block, at);
      else writeSync(fd, buffer, 0, block, at);
      if (fsync) fsyncSync(fd);
    }
    if (kind.endsWith("write")) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  return amount / ((performance.now() - start) / 1000);
}
