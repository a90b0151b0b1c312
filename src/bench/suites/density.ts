import { readdirSync, readFileSync } from "node:fs";
import type { SnapshotId } from "../../../drivers/driver.ts";
import type { Measure } from "../measure.ts";
import type { Place, Space } from "../place/place.ts";
import { openWritable } from "../place/writable.ts";
import { DATA_FILES } from "../stage/images.ts";
import type { Recorder, Session, SetUp, Suite } from "../suite.ts";

/** Containers of one image at the same time. */
const CONTAINERS = 8;

const IMAGE_BYTES: Measure = { name: "the image on disk", unit: "bytes", better: "less" };
const DISK: Measure = { name: "disk per container", unit: "bytes", better: "less" };
const INODES: Measure = { name: "inodes per container", unit: "inodes", better: "less" };
const FIRST: Measure = { name: "read all, first container", unit: "seconds", better: "less" };
const LATER: Measure = { name: "read all, later ones", unit: "seconds", better: "less" };
const CACHE: Measure = { name: `cache for all ${CONTAINERS}`, unit: "bytes", better: "less" };

/** What containers of one image share, and what not. */
export const density: Suite = {
  name: "density",
  question: "What does one more container of the same image take?",
  method: `${CONTAINERS} writable snapshots of an image with ${DATA_FILES} files of 1 MiB are made, and every file is read in one after the other, from caches that are empty. The cache is what the machine's page cache (Cached and Buffers in /proc/meminfo) grew by; on a pool in a file that counts the file's own pages, too. Memory of a FUSE daemon is not in it.`,
  source: "the page cache sharing that docker's documentation names as overlay2's advantage",
  weight: 6,
  warmsUp: true,
  usual: true,
  open: openDensity,
};

async function openDensity({ place, stage }: SetUp): Promise<Session> {
  const name = await stage.pull("data", place);
  stage.remove(name, place);
  return {
    async round(recorder) {
      const without = await spaceOf(place);
      await stage.unpack(name, place);
      try {
        const empty = await spaceOf(place);
        recorder.record(IMAGE_BYTES, empty.bytes - without.bytes);
        await fill(place, stage.layers(name, place), empty, recorder);
      } finally {
        stage.remove(name, place);
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** @param empty what the place holds without containers */
async function fill(
  place: Place,
  parents: readonly SnapshotId[],
  empty: Space,
  recorder: Recorder,
): Promise<void> {
  using containers = new DisposableStack();
  const roots = Array.from(
    { length: CONTAINERS },
    () => containers.use(openWritable(place, parents)).root,
  );
  const full = await spaceOf(place);
  recorder.record(DISK, Math.max(0, full.bytes - empty.bytes) / CONTAINERS);
  if (full.inodes !== undefined && empty.inodes !== undefined)
    recorder.record(INODES, (full.inodes - empty.inodes) / CONTAINERS);
  place.chill();
  const cold = cachedBytes();
  roots.forEach((root, number) => {
    recorder.time(number === 0 ? FIRST : LATER, () => readAll(`${root}/data`));
  });
  recorder.record(CACHE, cachedBytes() - cold);
}

async function spaceOf(place: Place): Promise<Space> {
  await place.settle();
  return place.space();
}

function readAll(directory: string): void {
  for (const name of readdirSync(directory)) readFileSync(`${directory}/${name}`);
}

/** @see proc_meminfo(5) */
function cachedBytes(): number {
  const text = readFileSync("/proc/meminfo", "latin1");
  const field = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(text)?.[1]);
  return (field("Cached") + field("Buffers")) * 1024;
}
