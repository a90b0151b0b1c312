/**
 * `npm run bench:scale`: whether containers cost more the more there have been, or are, on
 * each storage driver. Prints a Markdown table of milliseconds per container, by hundreds,
 * medians: they must not grow. Needs root.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { busyboxLayer } from "../system/support/busybox-image.ts";
import { DRIVER_KINDS, type DriverKind } from "../system/support/driver-places.ts";
import { ImageServer } from "../system/support/image-server.ts";
import { temporaryDirectory } from "../system/support/temporary.ts";
import { Tsimg } from "../system/support/tsimg.ts";
import { median } from "./bench/report.ts";

const USAGE = `usage: npm run bench:scale -- [options]

  --drivers LIST  of ${DRIVER_KINDS.map(({ title }) => title).join(",")} (default: all)
  --count N       containers, a multiple of three (default 300)`;

const PARTS = 3;

interface ScaleOptions {
  readonly kinds: readonly DriverKind[];
  readonly count: number;
}

/** @throws Error for what can't be understood */
function parseOptions(argv: readonly string[]): ScaleOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: { drivers: { type: "string" }, count: { type: "string", default: "300" } },
  });
  const wanted = values.drivers?.split(",") ?? DRIVER_KINDS.map(({ title }) => title);
  const unknown = wanted.find((word) => !DRIVER_KINDS.some(({ title }) => title === word));
  if (unknown !== undefined) throw new Error(`--drivers: there is no "${unknown}"`);
  const count = Number(values.count);
  if (!Number.isInteger(count) || count < PARTS || count % PARTS !== 0)
    throw new Error(`--count: "${values.count}" is no multiple of ${PARTS}`);
  return { kinds: DRIVER_KINDS.filter(({ title }) => wanted.includes(title)), count };
}

async function main({ kinds, count }: ScaleOptions): Promise<void> {
  const size = count / PARTS;
  const parts = Array.from({ length: PARTS }, (_, at) => `${at * size + 1}–${(at + 1) * size}`);
  console.log(`| ms per container | | ${parts.join(" | ")} |`);
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
  // A pool goes only when it is empty, also after a failure.
  await using _all = { [Symbol.asyncDispose]: () => tsimg.clear() };
  const image = server.add("scale", { layers: [busyboxLayer()] });
  await tsimg.output("pull", "-q", "--driver", place.driver, image);
  const names = Array.from({ length: count }, (_, at) => `c${at}`);
  const on = ["--network", "none", "--driver", place.driver];
  const title = kind.title === "zfs" ? "zfs (FUSE)" : kind.title;
  await each(`${title} | run --rm`, names, () => tsimg.output("run", "--rm", ...on, image, "true"));
  await each(`${title} | run -d, all stay`, names, (name) =>
    tsimg.output("run", "-d", "--name", name, ...on, image, "true"),
  );
  await each(`${title} | rm -f, fewer and fewer`, names, (name) => tsimg.output("rm", "-f", name));
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

const flags = process.argv.slice(2);
try {
  if (flags.includes("--help")) console.log(USAGE);
  else await main(parseOptions(flags));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
