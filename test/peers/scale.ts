/**
 * `node test/peers/scale.ts [driver …]`: 300 containers are created and removed on each
 * driver that this machine has; prints milliseconds per container, by hundreds. They must
 * not grow.
 */
import { join } from "node:path";
import { busyboxLayer } from "../system/support/busybox-image.ts";
import { DRIVER_KINDS, type DriverKind } from "../system/support/driver-places.ts";
import { ImageServer } from "../system/support/image-server.ts";
import { temporaryDirectory } from "../system/support/temporary.ts";
import { Tsimg } from "../system/support/tsimg.ts";

const COUNT = 300;
const GROUP = 100;

const wanted = process.argv.slice(2);
const chosen = DRIVER_KINDS.filter(({ title }) => wanted.length === 0 || wanted.includes(title));

console.log(`${"driver".padEnd(10)} ${"command".padEnd(8)} ms per container, by hundreds`);
for (const kind of chosen) {
  if (kind.absent !== undefined) console.log(`${kind.title.padEnd(10)} ${kind.absent}`);
  else await measure(kind);
}

async function measure(kind: DriverKind): Promise<void> {
  await using server = await ImageServer.start();
  using directory = temporaryDirectory();
  const tsimg = new Tsimg(join(directory.path, "store"));
  await using place = await kind.prepare(tsimg, "2G");
  const image = server.add("scale", { layers: [busyboxLayer()] });
  await tsimg.output("pull", "-q", "--driver", place.driver, image);
  const names = Array.from({ length: COUNT }, (_, at) => `c${at}`);
  const run = ["run", "--network", "none", "--driver", place.driver];
  await each(kind.title, "run", names, (name) =>
    tsimg.output(...run, "--name", name, image, "true"),
  );
  await each(kind.title, "rm", names, (name) => tsimg.output("rm", name));
  await tsimg.clear();
}

async function each(
  title: string,
  command: string,
  names: readonly string[],
  act: (name: string) => Promise<unknown>,
): Promise<void> {
  const means: string[] = [];
  for (let from = 0; from < names.length; from += GROUP) {
    const start = performance.now();
    for (const name of names.slice(from, from + GROUP)) await act(name);
    means.push(((performance.now() - start) / GROUP).toFixed(1).padStart(8));
  }
  console.log(`${title.padEnd(10)} ${command.padEnd(8)} ${means.join(" ")}`);
}
