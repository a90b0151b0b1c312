import type { Measure } from "../measure.ts";
import { openWritable } from "../place/writable.ts";
import { DATA_FILES } from "../stage/images.ts";
import type { Session, SetUp, Suite } from "../suite.ts";

/** Of the image's data files, so many are read before the first line is put out. */
const NEEDED = 4;
const TASK = `cat ${Array.from({ length: NEEDED }, (_, file) => `/data/${file}`).join(" ")} > /dev/null; echo ready`;

const PULL: Measure = { name: "pull", unit: "seconds", better: "less" };
const CREATE: Measure = { name: "create", unit: "seconds", better: "less" };
const RUN: Measure = { name: "run to the first line", unit: "seconds", better: "less" };
const READ: Measure = { name: "share of the image that was read", unit: "share", better: "less" };

/** From nothing to the first line, as HelloBench has it. */
export const slacker: Suite = {
  name: "slacker",
  question:
    "How long from nothing until a container does its work, and how much of the image is read?",
  method: `An image (of --image, or one with ${DATA_FILES} MiB of data) is pulled from a registry on this machine into an empty store; a writable snapshot is made and mounted (create); after the machine's caches were dropped, a container prints its first line (the generated one reads ${NEEDED} MiB before). The share is what the place's device was read by meanwhile, of the image's size; a FUSE daemon's own cache can't be dropped.`,
  source: "HelloBench, in Slacker: Fast Distribution with Lazy Docker Containers (FAST '16)",
  weight: 10,
  warmsUp: false,
  usual: false,
  open: openSlacker,
};

async function openSlacker({ place, stage }: SetUp): Promise<Session> {
  const name = await stage.reference("data");
  return {
    async round(recorder) {
      await stage.forget(name);
      const start = performance.now();
      await stage.pull("data", place);
      recorder.record(PULL, (performance.now() - start) / 1000);
      const parents = stage.layers(name, place);
      const created = performance.now();
      {
        using _container = openWritable(place, parents);
        recorder.record(CREATE, (performance.now() - created) / 1000);
      }
      place.chill();
      const before = place.counters().read;
      const flags = ["--rm", "--network", "none", "--driver", place.driverName];
      const { firstOutput } = await stage.tsimg(
        ["run", ...flags, name, ...stage.task("sh", "-c", TASK)],
        "first output",
      );
      if (firstOutput !== undefined) recorder.record(RUN, firstOutput);
      const after = place.counters().read;
      if (before !== undefined && after !== undefined)
        recorder.record(READ, (after - before) / stage.size(name));
    },
    async [Symbol.asyncDispose]() {
      await stage.forget(name);
    },
  };
}
