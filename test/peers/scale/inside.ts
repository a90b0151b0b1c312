/** The measuring. It runs in namespaces of its own, which take away all that it leaves. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { busyboxLayer } from "../../system/support/busybox-image.ts";
import type { DriverKind } from "../../system/support/driver-places.ts";
import { ImageServer } from "../../system/support/image-server.ts";
import { temporaryDirectory } from "../../system/support/temporary.ts";
import { Tsimg } from "../../system/support/tsimg.ts";
import { hideMachineState } from "../bench/arena.ts";
import { median } from "../bench/report.ts";
import { PARTS, parseOptions, type ScaleOptions } from "./options.ts";

/** A Markdown table: medians, in milliseconds. */
async function main({ kinds, count }: ScaleOptions): Promise<void> {
  await hideMachineState();
  // Where zfs-fuse has its lock; the daemon is one of our own.
  mkdirSync("/run/lock");
  const size = count / PARTS;
  const parts = Array.from({ length: PARTS }, (_, at) => `${at * size + 1}–${(at + 1) * size}`);
  console.log(`| driver | ms per container | ${parts.join(" | ")} |`);
  console.log(`| --- | --- |${" --- |".repeat(PARTS)}`);
  for (const kind of kinds) {
    if (kind.absent !== undefined) console.error(`${kind.title} is left out: ${kind.absent}`);
    else await measure(kind, count);
  }
}

/** Containers that come and go one by one; then that stay, until all are there; then go. */
async function measure(kind: DriverKind, count: number): Promise<void> {
  await using server = await ImageServer.start();
  using directory = temporaryDirectory();
  const tsimg = new Tsimg(join(directory.path, "store"));
  await using place = await kind.prepare(tsimg, "2G");
  // A pool goes only when it is empty, after a failure too.
  await using _everything = { [Symbol.asyncDispose]: () => tsimg.clear() };
  const image = server.add("scale", { layers: [busyboxLayer()] });
  await tsimg.output("pull", "-q", "--driver", place.driver, image);
  const names = Array.from({ length: count }, (_, at) => `c${at}`);
  const on = ["--network", "none", "--driver", place.driver];
  const title = kind.title === "zfs" ? "zfs (FUSE)" : kind.title;
  await each(`${title} | run --rm`, names, () => tsimg.output("run", "--rm", ...on, image, "true"));
  await each(`${title} | run -d, which stay`, names, (name) =>
    tsimg.output("run", "-d", "--name", name, ...on, image, "true"),
  );
  await each(`${title} | rm -f`, names, (name) => tsimg.output("rm", "-f", name));
}

async function each(
  title: string,
  names: readonly string[],
  act: (name: string) => Promise<unknown>,
): Promise<void> {
  const times: number[] = [];
  for (const name of names) {
    const start = performance.now();
    await act(name);
    times.push(performance.now() - start);
  }
  const size = names.length / PARTS;
  const parts = Array.from({ length: PARTS }, (_, at) => times.slice(at * size, (at + 1) * size));
  console.log(`| ${title} | ${parts.map((part) => median(part).toFixed(1)).join(" | ")} |`);
}

await main(parseOptions(process.argv.slice(2)));
