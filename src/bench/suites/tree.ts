import { chownSync, lstatSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Measure } from "../measure.ts";
import { inDirectory } from "../place/in-directory.ts";
import { openWritable } from "../place/writable.ts";
import { TREE_FILES } from "../stage/images.ts";
import type { Session, SetUp, Suite } from "../suite.ts";

const duration = (name: string): Measure => ({ name, unit: "seconds", better: "less" });
const UNPACK = duration("unpack");
const WALK = duration("walk");
const READ = duration("read all");
const CHOWN = duration("chown -R of a tenth");
const DELETE = duration("rm -rf");
const REMOVE = duration("remove the image");

/** Everything at once, with many small files. */
export const tree: Suite = {
  name: "tree",
  question: "How does a source tree of many small files fare?",
  method: `An image of one layer with ${TREE_FILES.toLocaleString("en")} files of 256 bytes to 16 KiB is unpacked from the store (inflated, checked, written, flushed). In a writable snapshot of it every entry is listed and looked at (walk), read, the first tenth given to another owner (chown -R), and all of it deleted (rm -rf); then the image is taken off the driver.`,
  source: "what npm ci, git checkout and rm -rf node_modules do in a container",
  weight: 20,
  warmsUp: false,
  usual: true,
  open: openTreeSuite,
};

async function openTreeSuite({ place, stage }: SetUp): Promise<Session> {
  // The content is in the store from here on, whatever place was first.
  const name = await stage.pull("tree", place);
  stage.remove(name, place);
  return {
    async round(recorder) {
      const start = performance.now();
      await stage.unpack(name, place);
      recorder.record(UNPACK, (performance.now() - start) / 1000);
      try {
        using container = openWritable(place, stage.layers(name, place));
        inDirectory(container.root, () => {
          const files = recorder.time(WALK, () => walk("src"));
          recorder.time(READ, () => {
            for (const file of files) readFileSync(file);
          });
          recorder.time(CHOWN, () => {
            for (const file of files.slice(0, TREE_FILES / 10)) chownSync(file, 1000, 1000);
          });
          recorder.time(DELETE, () => rmSync("src", { recursive: true }));
        });
      } finally {
        recorder.time(REMOVE, () => stage.remove(name, place));
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Every file below, each looked at. */
function walk(directory: string): readonly string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    return lstatSync(path).isDirectory() ? walk(path) : [path];
  });
}
