/** What a verdict rests on: a measure of a suite, at its largest parameter when it has one. */
export interface Basis {
  readonly suite: string;
  readonly measure: string;
}

/** A kind of work that somebody chooses a driver for. */
export interface KindOfWork {
  readonly title: string;
  readonly basis: readonly Basis[];
}

export const KINDS_OF_WORK: readonly KindOfWork[] = [
  {
    title: "many short containers",
    basis: [
      { suite: "lifecycle", measure: "run --rm, whole" },
      { suite: "lifecycle", measure: "run --rm, throughput" },
      { suite: "lifecycle", measure: "prepare a snapshot" },
      { suite: "lifecycle", measure: "destroy it" },
    ],
  },
  {
    title: "write-heavy",
    basis: [
      { suite: "copyup", measure: "make a container, append 1 B" },
      { suite: "copyup", measure: "overwrite 4 B, first" },
      { suite: "tree", measure: "chown -R of a tenth" },
    ],
  },
  {
    title: "building images",
    basis: [
      { suite: "containerd16", measure: "all 16 layers, flushed" },
      { suite: "tree", measure: "unpack" },
      { suite: "lifecycle", measure: "unpack 2,000 files" },
    ],
  },
  {
    title: "many small files",
    basis: [
      { suite: "tree", measure: "walk" },
      { suite: "tree", measure: "read all" },
      { suite: "tree", measure: "rm -rf" },
    ],
  },
  {
    title: "deep images",
    basis: [
      { suite: "depth", measure: "stat, cold" },
      { suite: "depth", measure: "open, cold" },
      { suite: "depth", measure: "readdir, warm" },
      { suite: "depth", measure: "stat of a missing name" },
    ],
  },
  {
    title: "least disk",
    basis: [
      { suite: "density", measure: "the image on disk" },
      { suite: "density", measure: "disk per container" },
    ],
  },
  {
    title: "least memory",
    basis: [{ suite: "density", measure: "cache for all 8" }],
  },
];
