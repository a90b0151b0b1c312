import { createReadStream, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { awkwardTars } from "../../fixtures/images/awkward-image.ts";
import { writeImage, writeLayer } from "../../fixtures/images/oci-layout.ts";
import { tinyImage } from "../../fixtures/images/tiny-image.ts";
import { startRegistry } from "../../fixtures/registry/registry.ts";
import { App } from "../../src/app.ts";
import { type Keeps, keptTime } from "../conformance/keeps.ts";
import { expectSame, linesOnDisk, type TreeLines } from "../conformance/tree-lines.ts";
import { startCountingProxy } from "../peers/bench/counting-proxy.ts";
import { missing } from "../peers/requirements.ts";
import { comparable, LOOK_AND_WRITE } from "./support/container-program.ts";
import { DRIVER_KINDS } from "./support/driver-places.ts";
import { type DriverStand, DriverStands } from "./support/driver-stand.ts";
import { lastingTraces } from "./support/leftovers.ts";
import { temporaryDirectory } from "./support/temporary.ts";
import { Tsimg } from "./support/tsimg.ts";

const absent = missing(["docker-registry", "skopeo", "tar", "setcap", "setfattr", "apt-get"]);

/** An owner of the awkward image; ZFS by FUSE has no numbers beyond 31 bits. */
const LARGE_OWNER = 4_000_000_000;
/** As many digits, so that an archive stays as it is otherwise. */
const SMALLER_OWNER = 2_000_000_000;

describe.skipIf(absent !== undefined)(`one image on every driver ${absent ?? ""}`, () => {
  const resources = new AsyncDisposableStack();
  let tsimg: Tsimg;
  let stands: readonly DriverStand[];
  let requested: () => readonly string[];
  let stopRegistry: () => Promise<void>;
  let awkward: string;
  let kept: string;
  let tiny: string;
  /** What overlay2 shows: of `awkward`, of `kept`, and of a container's end. */
  const expected: { whole?: TreeLines; kept?: TreeLines; printed?: string; left?: TreeLines } = {};
  beforeAll(async () => {
    const { path } = resources.use(temporaryDirectory());
    tsimg = new Tsimg(join(path, "store"));
    const servers = resources.use(new AsyncDisposableStack());
    const registry = servers.use(await startRegistry());
    const proxy = servers.use(await startCountingProxy(registry.port));
    requested = proxy.paths;
    stopRegistry = () => servers.disposeAsync();
    const push = async (layout: string, name: string) => {
      const reference = await registry.push(layout, name);
      return reference.replace(`:${registry.port}/`, `:${proxy.port}/`);
    };
    const tars = await awkwardTars(join(path, "layers"));
    awkward = await push(await layoutOf(join(path, "awkward"), tars), "awkward");
    for (const tar of tars) giveToSmallerOwner(tar);
    kept = await push(await layoutOf(join(path, "kept"), tars), "kept");
    tiny = await push(await tinyImage(), "tiny");
    stands = resources.use(await DriverStands.open(tsimg)).all;
  });
  afterAll(async () => {
    await resources.disposeAsync();
    expect(await lastingTraces(tsimg.root)).toEqual([]);
  });

  const names = () => stands.map(({ driver }) => driver).sort();
  const run = ({ driver }: DriverStand, ...args: readonly string[]) =>
    tsimg.run("run", "--network", "none", "--driver", driver, ...args);
  const onEach = (title: string, test: (stand: DriverStand) => Promise<void>) => {
    for (const kind of DRIVER_KINDS) {
      const name = [kind.title, title, kind.absent].filter(Boolean).join(": ");
      it.skipIf(kind.absent !== undefined)(name, () => test(standOf(stands, kind.title)));
    }
  };

  it("content is fetched once, whatever the number of drivers", async () => {
    for (const image of [kept, tiny])
      for (const { driver } of stands) await tsimg.output("pull", "-q", "--driver", driver, image);
    const blobs = requested().filter((path) => path.includes("/blobs/"));
    expect(blobs.length).toBeGreaterThan(4);
    expect(blobs).toEqual([...new Set(blobs)]);
  });

  it("`images` tells where an image is unpacked", async () => {
    for (const image of [kept, tiny]) expect(await driversOf(tsimg, image)).toEqual(names());
  });

  onEach("`tree` tells where each layer is kept", async ({ driver }) => {
    const lines = (await tsimg.output("tree", kept)).split("\n");
    const places = lines.filter((line) => line.startsWith(`        ${driver}  `));
    expect(places).toHaveLength(3);
    for (const place of places) expect(place.slice(10 + driver.length)).toMatch(/[0-9a-f]{64}/);
  });

  onEach("the tree is that of the others", async (stand) => {
    const tree = await treeOf(tsimg, kept, stand);
    expected.kept ??= tree;
    expect(tree.size).toBeGreaterThan(80);
    expectSame(asKept(expected.kept, stand.keeps), tree);
  });

  onEach("an owner that its file system has no number for is refused", async (stand) => {
    const { status, stderr } = await tsimg.run("pull", "-q", "--driver", stand.driver, awkward);
    if (stand.keeps.largestId < LARGE_OWNER) {
      expect(stderr).toMatch(/var\/owner/);
      expect(status).toBe(1);
      expect(await driversOf(tsimg, awkward)).not.toContain(stand.driver);
      return;
    }
    expect(status, stderr).toBe(0);
    const tree = await treeOf(tsimg, awkward, stand);
    expected.whole ??= tree;
    expectSame(asKept(expected.whole, stand.keeps), tree);
  });

  onEach("a container finds and leaves the same as on the others", async (stand) => {
    // A whole second, since that is all that some file systems keep.
    const since = BigInt(Math.floor(Date.now() / 1000)) * 1_000_000_000n;
    const args = ["--name", stand.title, kept, "sh", "-c", LOOK_AND_WRITE];
    const { status, stdout, stderr } = await run(stand, ...args);
    expect([status, stderr]).toEqual([0, ""]);
    const printed = comparable(stdout.toString("latin1"));
    const left = treeOfContainer(tsimg.root, stand.title, since);
    await tsimg.output("rm", stand.title);
    expected.printed ??= printed;
    expected.left ??= left;
    expect(printed).toMatch(/== \d+ paths\n$/);
    expect(printed).toBe(expected.printed);
    expectSame(asKept(expected.left, stand.keeps), left);
  });

  onEach("a container with --rm leaves nothing, in the background neither", async (stand) => {
    const there = () => snapshotsIn(tsimg.root, stand.driver);
    const before = there();
    const command = [tiny, "sh", "-c", "echo x >/y; sleep 0.3; exit 3"];
    expect(await run(stand, "--rm", ...command)).toMatchObject({ status: 3, stderr: "" });
    expect(there()).toEqual(before);
    const { status, stdout } = await run(stand, "--rm", "-d", ...command);
    expect(status).toBe(0);
    for (let wait = 0; wait < 200 && there().length > before.length; wait++) await sleep(50);
    expect(there()).toEqual(before);
    expect(await tsimg.containers()).toEqual([]);
    const id = stdout.toString().trim();
    expect(await lastingTraces(join(tsimg.root, "containers"), [id])).toEqual([]);
  });

  describe("without the registry", () => {
    beforeAll(() => stopRegistry());

    onEach("a copy goes alone, and comes back from what is here", async (stand) => {
      const blobs = () =>
        readdirSync(join(tsimg.root, "content/blobs"), { recursive: true }).sort();
      const before = blobs();
      const removed = await tsimg.output("rmi", "--driver", stand.driver, kept);
      expect(removed.trimEnd().split("\n").length).toBeGreaterThan(0);
      expect(await driversOf(tsimg, kept)).toEqual(names().filter((n) => n !== stand.driver));
      const { status, stdout, stderr } = await run(stand, "--rm", kept, "cat", "/opt/linked");
      expect([status, stdout.toString()], stderr).toEqual([0, "lower"]);
      expect(stderr).toMatch(/^Unpacking image /m);
      expect(await driversOf(tsimg, kept)).toEqual(names());
      const tree = await treeOf(tsimg, kept, stand);
      expectSame(asKept(expected.kept ?? new Map(), stand.keeps), tree);
      expect(blobs()).toEqual(before);
    });

    it("images that are removed leave nothing in any driver", async () => {
      await tsimg.output("rmi", awkward, kept, tiny);
      for (const { driver, title } of stands)
        expect(snapshotsIn(tsimg.root, driver), title).toEqual([]);
    });
  });
});

function standOf(stands: readonly DriverStand[], title: string): DriverStand {
  const stand = stands.find((each) => each.title === title);
  if (stand === undefined) throw new Error(`there is no driver ${title}`);
  return stand;
}

async function layoutOf(directory: string, tars: readonly string[]): Promise<string> {
  await mkdir(directory);
  const layers = await Promise.all(tars.map((tar) => writeLayer(directory, createReadStream(tar))));
  await writeImage(directory, layers, { Cmd: ["sh"], Env: ["PATH=/bin:/usr/bin"] });
  return directory;
}

/** The number stands in a PAX record: no checksum covers it. */
function giveToSmallerOwner(tar: string): void {
  const text = readFileSync(tar, "latin1");
  writeFileSync(tar, text.replaceAll(`uid=${LARGE_OWNER}`, `uid=${SMALLER_OWNER}`), "latin1");
}

/** An image's tree as a driver shows it on the host. */
async function treeOf(tsimg: Tsimg, image: string, { driver }: DriverStand): Promise<TreeLines> {
  const directory = (await tsimg.output("mount", "--driver", driver, image)).trimEnd();
  const lines = linesOnDisk(directory);
  await tsimg.output("umount", directory);
  return lines;
}

/** What a container has left, with extended attributes; times of its own read "now". */
function treeOfContainer(root: string, name: string, since: bigint): TreeLines {
  using app = new App({ root });
  const { snapshot } = app.containers.existing(name).row;
  using tree = app.snapshots.open(snapshot, "ro", join(root, "cache/view"));
  return linesOnDisk(tree.path, since);
}

/** The lines of a tree with the times that a file system keeps of it. */
function asKept(lines: TreeLines, { times }: Keeps): TreeLines {
  const kept = (line: string) =>
    line.replace(/^(\w+ \w+ \w+:\w+ )(-?\d+)/, (_, start: string, time: string) =>
      start.concat(String(keptTime(times, BigInt(time)))),
    );
  return new Map([...lines].map(([path, line]) => [path, kept(line)]));
}

/** Every snapshot that a driver has on disk. */
function snapshotsIn(root: string, driver: string): readonly string[] {
  using app = new App({ root });
  return [...app.snapshots.driver(driver).list()].sort();
}

async function driversOf(tsimg: Tsimg, image: string): Promise<readonly string[]> {
  const name = image.replace(/:latest$/, "");
  const drivers = await tsimg.output("images", "--format", "{{.Drivers}}", name);
  return drivers.trimEnd().split(",").sort();
}
