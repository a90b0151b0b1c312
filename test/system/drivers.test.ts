import { createReadStream, readFileSync, writeFileSync } from "node:fs";
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
import { DRIVER_KINDS } from "./support/driver-places.ts";
import { lastingTraces } from "./support/leftovers.ts";
import { DriverStand } from "./support/driver-stand.ts";
import { temporaryDirectory } from "./support/temporary.ts";
import { Tsimg } from "./support/tsimg.ts";

const absent = missing(["docker-registry", "skopeo", "tar", "setcap", "setfattr", "apt-get"]);
const PLACES = DRIVER_PLACES.filter((place) => place.absent === undefined);

/** An owner of the awkward image; ZFS by FUSE has no numbers beyond 31 bits. */
const LARGE_OWNER = 4_000_000_000;
/** As many digits, so that an archive stays as it is otherwise. */
const SMALLER_OWNER = 2_000_000_000;

/**
 * Looks at everything and writes in every way. What is written to has one name only: overlay
 * parts the names of a file, which the conformance suite looks at.
 */
const PROGRAM = `
cd /
echo "== as it came"
busybox ls -lnR bin etc home lib/ opt srv tmp usr var
cat etc/attributes usr/share/b/two home/user/three opt/linked lib/library
busybox md5sum bin/busybox var/sparse usr/bin/capable
echo "== written to"
echo more >>etc/attributes
echo into >srv/implied/into
mv opt/kept/later opt/renamed
mv opt/new opt/moved
rm -r usr/share/a srv/remade
mkdir srv/remade && echo again >srv/remade/again
rm srv/swap-dir && mkdir srv/swap-dir
rm -r srv/swap-file && echo file >srv/swap-file
chmod 0750 var/dir-7777 var/mode-0444
chown 5:6 var/mode-1666 home/user
: >var/sparse
ln opt/renamed opt/second-name
ln -s renamed opt/link
cp -a var/empty var/copied
cat etc/attributes srv/implied/* srv/remade/* srv/swap-file opt/second-name opt/link
busybox ls -lnR etc home opt srv usr var
echo "== $(busybox find etc opt srv usr var | busybox wc -l) paths"
`;

describe.skipIf(absent !== undefined)(`one image on every driver ${absent ?? ""}`, () => {
  const resources = new AsyncDisposableStack();
  let tsimg: Tsimg;
  let paths: () => readonly string[];
  let stopRegistry: () => Promise<void>;
  let awkward: string;
  let kept: string;
  let tiny: string;
  beforeAll(async () => {
    const { path } = resources.use(temporaryDirectory());
    tsimg = new Tsimg(join(path, "store"));
    const servers = resources.use(new AsyncDisposableStack());
    const registry = servers.use(await startRegistry());
    const proxy = servers.use(await startCountingProxy(registry.port));
    paths = proxy.paths;
    stopRegistry = () => servers.disposeAsync();
    const push = async (layout: string, name: string) => {
      const reference = await registry.push(layout, name);
      return reference.replace(`:${registry.port}/`, `:${proxy.port}/`);
    };
    const tars = await awkwardTars(join(path, "layers"));
    awkward = await push(await layoutOf(join(path, "awkward"), tars), "awkward");
    await Promise.all(tars.map((tar) => giveToSmallerOwner(tar)));
    kept = await push(await layoutOf(join(path, "kept"), tars), "kept");
    tiny = await push(await tinyImage(), "tiny");
    resources.use(await makePools(tsimg, PLACES));
  });
  afterAll(async () => {
    await resources.disposeAsync();
    expect(await lastingTraces(tsimg.root)).toEqual([]);
  });

  /** An image's tree as the driver shows it. */
  async function treeOf(image: string, { name }: DriverPlace): Promise<TreeLines> {
    const directory = (await tsimg.output("mount", "--driver", name, image)).trimEnd();
    const lines = linesOnDisk(directory);
    await tsimg.output("umount", directory);
    return lines;
  }

  const run = (place: DriverPlace, ...args: string[]) =>
    tsimg.run("run", "--network", "none", "--driver", place.flag, ...args);

  it("content is fetched once, whatever the number of drivers", async () => {
    for (const image of [kept, tiny]) {
      for (const place of PLACES) await tsimg.output("pull", "-q", "--driver", place.flag, image);
    }
    const blobs = paths().filter((path) => path.includes("/blobs/"));
    expect(blobs.length).toBeGreaterThan(4);
    expect(blobs).toEqual([...new Set(blobs)]);
  });

  it("`images` tells where an image is unpacked", async () => {
    for (const image of [kept, tiny])
      expect(await driversOf(image)).toEqual(PLACES.map(({ name }) => name).sort());
  });

  it("the trees are the same", async () => {
    const expected = await treeOf(kept, reference());
    expect(expected.size).toBeGreaterThan(80);
    for (const place of PLACES) {
      const wanted = asKept(expected, keptBy(place, tsimg.root));
      expectSame(wanted, await treeOf(kept, place), `the image in ${place.name}`);
    }
  });

  it("an owner that a file system has no number for is refused by it alone", async () => {
    const expected = await tsimg.output("pull", "-q", "--driver", "overlay2", awkward);
    const whole = await treeOf(awkward, reference());
    for (const place of PLACES) {
      const { status, stdout, stderr } = await tsimg.run(
        ...["pull", "-q", "--driver", place.flag, awkward],
      );
      if (keptBy(place, tsimg.root).largestId >= LARGE_OWNER) {
        expect({ status, stdout: stdout.toString() }).toEqual({ status: 0, stdout: expected });
        expectSame(whole, await treeOf(awkward, place), `the image in ${place.name}`);
      } else {
        expect(stderr).toMatch(new RegExp(`var/owner.*${LARGE_OWNER}|${LARGE_OWNER}.*var/owner`));
        expect(status).toBe(125);
        expect(await driversOf(awkward)).not.toContain(place.name);
      }
    }
    await tsimg.output("rmi", awkward);
  });

  it("a container that looks at and writes to everything finds and leaves the same", async () => {
    const outcomes: { place: DriverPlace; printed: string; tree: TreeLines }[] = [];
    for (const place of PLACES) {
      // A whole second, since that is all that some file systems keep.
      const since = BigInt(Math.floor(Date.now() / 1000)) * 1_000_000_000n;
      const name = `on-${place.name.replace(":", "-")}`;
      const { status, stdout, stderr } = await run(
        ...([place, "--name", name, kept, "sh", "-c", PROGRAM] as const),
      );
      expect({ status, stderr: withoutAnnouncement(stderr) }).toEqual({ status: 0, stderr: "" });
      const tree = containerTree(tsimg.root, name, since);
      outcomes.push({ place, printed: comparable(stdout.toString("latin1")), tree });
      await tsimg.output("rm", name);
    }
    const [first] = outcomes;
    if (first === undefined) throw new Error("there is no driver");
    expect(first.printed).toMatch(/== \d+ paths\n$/);
    for (const { place, printed, tree } of outcomes) {
      expect(printed, place.name).toBe(first.printed);
      const wanted = asKept(first.tree, keptBy(place, tsimg.root));
      expectSame(wanted, tree, `the container in ${place.name}`);
    }
  });

  for (const place of DRIVER_PLACES) {
    const why = place.absent === undefined ? "" : ` (${place.absent})`;
    describe.skipIf(place.absent !== undefined)(`${place.flag}${why}`, () => {
      it("a container with --rm leaves nothing there", async () => {
        const before = snapshotsOn(tsimg.root, place.name);
        expect(await run(place, "--rm", tiny, "sh", "-c", "echo x >/y; exit 3")).toMatchObject({
          status: 3,
        });
        expect(snapshotsOn(tsimg.root, place.name)).toEqual(before);
        const detached = ["--rm", "-d", tiny, "sh", "-c", "echo x >/y; sleep 0.2"];
        const { status, stdout } = await run(place, ...detached);
        expect(status).toBe(0);
        const id = stdout.toString().trim();
        expect(snapshotsOn(tsimg.root, place.name).length).toBe(before.length + 1);
        await until(() => snapshotsOn(tsimg.root, place.name).length === before.length);
        expect(snapshotsOn(tsimg.root, place.name)).toEqual(before);
        expect(await tsimg.containers()).toEqual([]);
        expect(await lastingContainerTraces(id)).toEqual([]);
      });
    });
  }

  it("a copy goes from one driver alone, and comes back without a registry", async () => {
    await stopRegistry();
    const content = filesOf(join(tsimg.root, "content"));
    const expected = await treeOf(kept, reference());
    for (const place of PLACES) {
      const others = PLACES.filter(({ name }) => name !== place.name).map(({ name }) => name);
      const removed = await tsimg.output("rmi", "--driver", place.name, kept);
      expect(removed.split("\n").filter(Boolean)).toHaveLength(3);
      expect(await driversOf(kept)).toEqual(others.sort());
      const again = await run(place, "--rm", kept, "cat", "/opt/linked");
      expect(again).toMatchObject({
        status: 0,
        stderr: expect.stringMatching(/^Unpacking image /m),
      });
      expect(again.stdout.toString()).toBe("lower");
      expect(await driversOf(kept)).toHaveLength(PLACES.length);
      const wanted = asKept(expected, keptBy(place, tsimg.root));
      expectSame(wanted, await treeOf(kept, place), `the image unpacked again in ${place.name}`);
    }
    expect(filesOf(join(tsimg.root, "content"))).toEqual(content);
  });

  it("an image that is removed leaves nothing in any driver", async () => {
    await tsimg.output("rmi", kept, tiny);
    for (const { name } of PLACES) expect(snapshotsOn(tsimg.root, name)).toEqual([]);
  });

  async function driversOf(image: string): Promise<readonly string[]> {
    const name = image.replace(/:latest$/, "");
    const drivers = await tsimg.output("images", "--format", "{{.Drivers}}", name);
    return drivers.trimEnd().split(",");
  }

  /** What a container with that ID has left beside its snapshot. */
  async function lastingContainerTraces(id: string): Promise<readonly string[]> {
    const traces = await lastingTraces(join(tsimg.root, "no-mounts"), [id]);
    return [...traces, ...filesOf(tsimg.root).filter((path) => path.includes(id))];
  }
});

function reference(): DriverPlace {
  const [first] = PLACES;
  if (first === undefined) throw new Error("there is no driver");
  return first;
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

/** Lines of a tree whose times are those that a file system keeps. */
function asKept(lines: TreeLines, { times }: Keeps): TreeLines {
  const kept = (line: string) =>
    line.replace(/^(\w+ \w+ \w+:\w+ )(-?\d+)/, (_, start: string, time: string) =>
      start.concat(String(keptTime(times, BigInt(time)))),
    );
  return new Map([...lines].map(([path, line]) => [path, kept(line)]));
}

/** What a container has left, its extended attributes too. */
function containerTree(root: string, name: string, since: bigint): TreeLines {
  using app = new App({ root });
  const { snapshot } = app.containers.existing(name).row;
  using tree = app.snapshots.open(snapshot, "ro", join(root, "cache/view"));
  return linesOnDisk(tree.path, since);
}

/** What `ls` tells of the file system rather than of the tree, and times of this very day. */
function comparable(text: string): string {
  return text
    .split("\n")
    .filter((line) => !/^total \d+$/.test(line))
    .map((line) => line.replace(/^(d\S+) +\d+ +(\d+ +\d+) +\d+ /, "$1 $2 "))
    .map((line) => line.replace(/ \w{3} +\d+ \d\d:\d\d /, " now "))
    .join("\n");
}

function withoutAnnouncement(stderr: string): string {
  return stderr.replace(/^.*full cop.*\n/gm, "");
}

/** Every snapshot that the driver has on disk. */
function snapshotsOn(root: string, driver: string): readonly string[] {
  using app = new App({ root });
  return [...app.snapshots.driver(driver).list()].sort();
}

async function until(isSo: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 200 && !isSo(); attempt++) await sleep(50);
}
