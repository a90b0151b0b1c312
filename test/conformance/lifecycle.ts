import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { SnapshotId } from "../../drivers/driver.ts";
import { dir, file, opaque } from "../../fixtures/layers/change.ts";
import { binary, noise } from "../../fixtures/layers/odd-change.ts";
import { tolerating } from "../../src/sys/errno.ts";
import { KEEPS_ALL, type Keeps } from "./keeps.ts";
import { codeOf } from "./rounds/round.ts";
import { expectSame, linesOnDisk } from "./tree-lines.ts";
import { type MakeDriver, Workshop } from "./workshop.ts";
import { createOn, readAll, sealNow, stackOf, writable } from "./writable.ts";

const UNKNOWN = "e".repeat(64) as SnapshotId;
const MEBIBYTE = 1 << 20;

/** What the driver contract says of create, seal, attach, mounts, destroy, list and usage. */
export function describeLifecycle(makeDriver: MakeDriver, keeps: Keeps = KEEPS_ALL): void {
  describe("keeps the driver contract", () => {
    it("lists what was created until it is destroyed, and destroys twice without complaint", async () => {
      using workshop = new Workshop(makeDriver);
      const { driver } = workshop;
      expect(driver.list()).toEqual([]);
      await stackOf(workshop, [[file("a")], [file("b")], [file("c")]]);
      const [top, ...below] = idsOf(workshop).toReversed();
      expect([...driver.list()].sort()).toEqual([...idsOf(workshop)].sort());
      if (top === undefined) throw new Error("there is no snapshot");
      driver.destroy([top]);
      driver.destroy([top]);
      expect([...driver.list()].sort()).toEqual([...below].sort());
      driver.destroy([UNKNOWN, ...below]);
      driver.destroy(below);
      expect(driver.list()).toEqual([]);
      driver.destroy([UNKNOWN]);
      driver.destroy([]);
    });

    it("destroys many at once, of several trees, children before their parents", async () => {
      using workshop = new Workshop(makeDriver);
      const base = await stackOf(workshop, [[file("a")], [file("b")]]);
      for (const parent of [base, base, null]) {
        const id = createOn(workshop, parent);
        writable(workshop, id, (path) => writeFileSync(join(path, "new"), ""));
        sealNow(workshop, id);
        createOn(workshop, id);
      }
      workshop.driver.destroy(idsOf(workshop).toReversed());
      expect(workshop.driver.list()).toEqual([]);
    });

    it("seals twice without a change", async () => {
      using workshop = new Workshop(makeDriver);
      const top = await stackOf(workshop, [[file("a")], [opaque(""), file("b")], [file("c")]]);
      const before = workshop.look(top);
      for (const id of idsOf(workshop)) sealNow(workshop, id);
      expect(workshop.look(top)).toEqual(before);
    });

    it("destroys a snapshot in every state that a crash may leave it in", async () => {
      using workshop = new Workshop(makeDriver);
      const { driver, snapshots } = workshop;
      const base = await stackOf(workshop, [[file("a")]]);
      const states: readonly ((id: SnapshotId) => void)[] = [
        () => {},
        (id) => driver.attach?.(id, snapshots.parents(id)),
        (id) => writable(workshop, id, (path) => mkdirSync(join(path, "d/e"), { recursive: true })),
        (id) => sealNow(workshop, id),
        (id) => {
          sealNow(workshop, id);
          driver.attach?.(id, snapshots.parents(id));
        },
      ];
      for (const [index, bring] of states.entries())
        for (const parent of [base, null]) {
          const id = createOn(workshop, parent);
          bring(id);
          driver.destroy([id]);
          expect(driver.list(), `state ${index}`).toEqual([base]);
          expect(remains(workshop, id), `state ${index}`).toEqual([]);
        }
    });

    it("destroys a snapshot of which any part is missing", async () => {
      using workshop = new Workshop(makeDriver);
      const { driver } = workshop;
      const base = await stackOf(workshop, [[file("a")]]);
      const count = filesOf(workshop, base).length;
      for (let missing = 0; missing <= count; missing++) {
        const id = createOn(workshop, base);
        for (const path of filesOf(workshop, id).slice(missing))
          rmSync(path, { recursive: true, force: true });
        driver.destroy([id]);
        expect(driver.list()).toEqual([base]);
        expect(remains(workshop, id)).toEqual([]);
      }
    });

    it("counts bytes and inodes of one snapshot alone", async () => {
      using workshop = new Workshop(makeDriver);
      const base = await stackOf(workshop, [[binary("a", noise(8 * MEBIBYTE))]]);
      const small = createOn(workshop, base);
      writable(workshop, small, (path) => {
        for (const name of ["b", "c", "d"]) writeFileSync(join(path, name), noise(4096));
      });
      sealNow(workshop, small);
      const [below, above] = [workshop.driver.usage(base), workshop.driver.usage(small)];
      expect(below.bytes).toBeGreaterThanOrEqual(8 * MEBIBYTE);
      expect(below.bytes).toBeLessThan(12 * MEBIBYTE);
      expect(above.bytes).toBeLessThan((keeps.sharedSpace ? 4 : 12) * MEBIBYTE);
      expect(above.inodes).toBeGreaterThanOrEqual(3);
    });

    it("copies up what a writable snapshot changes, and leaves its parents as they are", async () => {
      using workshop = new Workshop(makeDriver);
      const layers = [
        [file("a", "a"), file("b", "b"), dir("d"), file("d/x", "x")],
        [file("c", "c")],
      ];
      const top = await stackOf(workshop, layers);
      const before = workshop.look(top);
      const id = createOn(workshop, top);
      const seen = writable(workshop, id, (path) => {
        writeFileSync(join(path, "a"), "changed");
        rmSync(join(path, "b"));
        rmSync(join(path, "d"), { recursive: true });
        mkdirSync(join(path, "d"));
        return readAll(path);
      });
      expect(seen).toEqual({ a: "changed", c: "c", "d/": "" });
      expect(workshop.mounted(id, readAll)).toEqual(seen);
      expect(workshop.look(top)).toEqual(before);
    });

    // containerd/containerd#1352: the root of a container was owned by somebody else
    it("gives a writable snapshot its parent's root: mode, owner, time and attributes", async () => {
      using workshop = new Workshop(makeDriver);
      const xattrs = { "user.a": "b" };
      const time = { seconds: 1_500_000_000, nanoseconds: 5_000_000 };
      const root = dir("./", { mode: 0o1711, uid: 3, gid: 4, mtime: time, xattrs });
      const top = await stackOf(workshop, [[root], [file("f")]]);
      const id = createOn(workshop, top);
      const seen = writable(workshop, id, (path) => linesOnDisk(path));
      expectSame(workshop.look(top), seen);
    });

    it("keeps two writable snapshots of one parent apart, both mounted at once", async () => {
      using workshop = new Workshop(makeDriver);
      const top = await stackOf(workshop, [[file("a", "below"), file("b", "below")]]);
      const [one, two] = [createOn(workshop, top), createOn(workshop, top)];
      const seen = writable(workshop, one, (first) =>
        writable(workshop, two, (second) => {
          writeFileSync(join(first, "a"), "first");
          rmSync(join(second, "b"));
          writeFileSync(join(second, "new"), "second");
          return [readAll(first), readAll(second), workshop.mounted(top, readAll)];
        }),
      );
      expect(seen).toEqual([
        { a: "first", b: "below" },
        { a: "below", new: "second" },
        { a: "below", b: "below" },
      ]);
    });

    it("mounts a writable snapshot without parents: an empty root of mode 755", () => {
      using workshop = new Workshop(makeDriver);
      const id = createOn(workshop, null);
      const seen = writable(workshop, id, (path) => {
        const { mode, uid, gid } = lstatSync(path);
        const empty = readdirSync(path);
        writeFileSync(join(path, "a"), "1");
        return [empty, (mode & 0o7777).toString(8), uid, gid, readAll(path)];
      });
      expect(seen).toEqual([[], "755", 0, 0, { a: "1" }]);
    });

    it("mounts a sealed snapshot read-only, several times at once", async () => {
      using workshop = new Workshop(makeDriver);
      const top = await stackOf(workshop, [[file("a", "1")], [file("b", "2")]]);
      const seen = workshop.mounted(top, (first) =>
        workshop.mounted(top, (second) => {
          const refused = [first, second].map((at) =>
            codeOf(() => writeFileSync(join(at, "c"), "")),
          );
          return [readAll(first), readAll(second), refused];
        }),
      );
      const tree = { a: "1", b: "2" };
      expect(seen).toEqual([tree, tree, ["EROFS", "EROFS"]]);
    });

    it("shows what was written after an unmount and another mount", async () => {
      using workshop = new Workshop(makeDriver);
      const id = createOn(workshop, await stackOf(workshop, [[file("a")]]));
      for (const name of ["b", "c"])
        writable(workshop, id, (path) => writeFileSync(join(path, name), noise(100_000)));
      const bytes = writable(workshop, id, (path) =>
        ["a", "b", "c"].map((name) => readFileSync(join(path, name)).length),
      );
      expect(bytes).toEqual([0, 100_000, 100_000]);
    });

    it("attaches twice without a change, and mounts as plain data say", async () => {
      using workshop = new Workshop(makeDriver);
      const { driver, snapshots } = workshop;
      const top = await stackOf(workshop, [[file("a", "1")], [file("b", "2")]]);
      const id = createOn(workshop, top);
      for (const [each, mode] of [
        [top, "ro"],
        [id, "rw"],
      ] as const) {
        const parents = snapshots.parents(each);
        driver.attach?.(each, parents);
        driver.attach?.(each, parents);
        const specs = driver.mounts(each, parents, mode);
        expect(JSON.parse(JSON.stringify(specs))).toEqual(specs);
        expect(driver.mounts(each, parents, mode)).toEqual(specs);
        expect(workshop.mounted(each, readAll)).toEqual({ a: "1", b: "2" });
      }
    });

    it("leaves no mount, device or file of a snapshot behind", async () => {
      using workshop = new Workshop(makeDriver);
      const top = await stackOf(workshop, [[file("a")], [file("b")]]);
      const id = createOn(workshop, top);
      writable(workshop, id, (path) => writeFileSync(join(path, "c"), ""));
      workshop.mounted(top, readAll);
      const ids = idsOf(workshop);
      workshop.removeAll();
      expect(ids.flatMap((each) => remains(workshop, each))).toEqual([]);
      expect(workshop.driver.list()).toEqual([]);
    });

    it("tells where a snapshot is, and what to flush", async () => {
      using workshop = new Workshop(makeDriver);
      const { driver, snapshots } = workshop;
      const top = await stackOf(workshop, [[file("a")], [file("b")]]);
      const paths = Object.entries(driver.paths(top, snapshots.parents(top)));
      expect(paths.length).toBeGreaterThan(0);
      for (const [name, value] of paths) {
        expect(name).toMatch(/^[A-Z][A-Za-z]+$/);
        expect(value).not.toBe("");
      }
      expect(lstatSync(driver.home).isDirectory()).toBe(true);
    });

    it("refuses an option that it does not have, and makes nothing", () => {
      using workshop = new Workshop(makeDriver);
      const { driver } = workshop;
      const create = () => driver.create(UNKNOWN, [], { "no-such-option": "1" });
      expect(create).toThrow(expect.objectContaining({ code: "ERR_USAGE" }));
      expect(create).toThrow(/no-such-option/);
      expect(driver.list()).toEqual([]);
    });

    it("shows nothing below a root that is cut off, in children made before and after", async () => {
      using workshop = new Workshop(makeDriver);
      const cut = await stackOf(workshop, [[file("a")], [file("b")], [opaque(""), file("c")]]);
      expect(workshop.mounted(cut, readAll)).toEqual({ c: "" });
      const id = createOn(workshop, cut);
      expect(writable(workshop, id, readAll)).toEqual({ c: "" });
    });
  });
}

/** Parents before their children. */
function idsOf({ snapshots }: Workshop): readonly SnapshotId[] {
  return snapshots.walk().map(({ id }) => id);
}

/** What a driver keeps of a snapshot, its directory's entries first. */
function filesOf({ driver }: Workshop, id: SnapshotId): readonly string[] {
  const files = driver.files?.(id) ?? [];
  const inside = files
    .filter((path) => path.endsWith(id))
    .flatMap((path) => readdirSync(path).map((name) => join(path, name)));
  return [...inside, ...files];
}

/** Mounts, loop devices and files that still have a snapshot's name. */
function remains({ driver }: Workshop, id: SnapshotId): readonly string[] {
  const mounts = readFileSync("/proc/self/mountinfo", "latin1").split("\n");
  const loops = readdirSync("/sys/block").flatMap(
    (name) =>
      tolerating(["ENOENT", "ENOTDIR"], () =>
        readFileSync(`/sys/block/${name}/loop/backing_file`, "latin1"),
      ) ?? [],
  );
  const names = [...mounts, ...loops, ...readdirSync(driver.home)];
  return names.filter((name) => name.includes(id));
}
