import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { SnapshotId } from "../../drivers/driver.ts";
import { dir, file, opaque, remove } from "../../fixtures/layers/change.ts";
import { mountPrivately } from "../../src/sys/private-mounts.ts";
import { type MakeDriver, Workshop } from "./workshop.ts";

const UNKNOWN = "e".repeat(64) as SnapshotId;

/** What the driver contract says of create, seal, mounts, destroy, list and usage. */
export function describeLifecycle(makeDriver: MakeDriver): void {
  describe("keeps the driver contract", () => {
    it("lists what was created until it is destroyed, and destroys twice without complaint", async () => {
      using workshop = new Workshop(makeDriver);
      const { driver } = workshop;
      expect(driver.list()).toEqual([]);
      await workshop.stackHere([[file("a")], [file("b")]]);
      const ids = workshop.snapshots.walk().map(({ id }) => id);
      expect([...driver.list()].sort()).toEqual([...ids].sort());
      for (const id of ids.toReversed()) {
        driver.destroy(id);
        driver.destroy(id);
      }
      expect(driver.list()).toEqual([]);
      driver.destroy(UNKNOWN);
    });

    it("seals twice without a change", async () => {
      using workshop = new Workshop(makeDriver);
      const top = await stackOf(workshop, [[file("a")], [opaque(""), file("b")], [file("c")]]);
      const before = workshop.look(top);
      for (const { id } of workshop.snapshots.walk())
        workshop.driver.seal(id, workshop.snapshots.parents(id));
      expect(workshop.look(top)).toEqual(before);
    });

    it("destroys a snapshot of which any part is missing", async () => {
      using workshop = new Workshop(makeDriver);
      const { driver } = workshop;
      const base = await stackOf(workshop, [[file("a")]]);
      const count = filesOf(workshop, base).length;
      for (let missing = 0; missing < count; missing++) {
        const id = createOn(workshop, base);
        for (const path of filesOf(workshop, id).slice(missing))
          rmSync(path, { recursive: true, force: true });
        driver.destroy(id);
        expect(driver.list()).toEqual([base]);
      }
    });

    it("counts bytes and inodes of one snapshot alone", async () => {
      using workshop = new Workshop(makeDriver);
      const small = await stackOf(workshop, [[file("a", "x".repeat(100_000))], [file("b")]]);
      const { bytes, inodes } = workshop.driver.usage(small);
      expect(bytes).toBeLessThan(50_000);
      expect(inodes).toBeGreaterThanOrEqual(1);
      const [parent] = workshop.snapshots.parents(small);
      expect(workshop.driver.usage(parent ?? small).bytes).toBeGreaterThanOrEqual(100_000);
    });

    for (const depth of [1, 2, 127, 128, 500])
      it(`mounts ${depth} layers and shows the nearest of each file`, async () => {
        using workshop = new Workshop(makeDriver);
        const top = await stackOf(
          workshop,
          Array.from({ length: depth }, (_, layer) => [
            file("same", `${layer}`),
            file(`only-${layer}`),
            ...(layer > 0 ? [remove(`only-${layer - 1}`)] : []),
          ]),
        );
        expect(workshop.mounted(top, readAll)).toEqual({
          [`only-${depth - 1}`]: "",
          same: `${depth - 1}`,
        });
        // A container on top of them all.
        const id = createOn(workshop, top);
        const seen = writable(workshop, id, (path) => {
          writeFileSync(join(path, "new"), "written");
          return readAll(path);
        });
        expect(seen).toEqual({ [`only-${depth - 1}`]: "", same: `${depth - 1}`, new: "written" });
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

    it("mounts a writable snapshot without parents", () => {
      using workshop = new Workshop(makeDriver);
      const id = createOn(workshop, null);
      const seen = writable(workshop, id, (path) => {
        writeFileSync(join(path, "a"), "1");
        return readAll(path);
      });
      expect(seen).toEqual({ a: "1" });
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

async function stackOf(
  workshop: Workshop,
  layers: Parameters<Workshop["stackHere"]>[0],
): Promise<SnapshotId> {
  const top = await workshop.stackHere(layers);
  if (top === null) throw new Error("there are no layers");
  return top;
}

/** A writable snapshot, as a container gets one. */
function createOn({ snapshots, driver }: Workshop, parent: SnapshotId | null): SnapshotId {
  const id = snapshots.prepare(driver.name, parent, "active");
  driver.create(id, snapshots.parents(id));
  return id;
}

/** What a driver keeps of a snapshot, its directory's entries first. */
function filesOf({ driver }: Workshop, id: SnapshotId): readonly string[] {
  const files = driver.files?.(id) ?? [];
  const inside = files
    .filter((path) => path.endsWith(id))
    .flatMap((path) => readdirSync(path).map((name) => join(path, name)));
  return [...inside, ...files];
}

/** Mounts a snapshot to be written to, as a launcher would. */
function writable<T>(
  { snapshots, root }: Workshop,
  id: SnapshotId,
  action: (path: string) => T,
): T {
  const target = join(root, "writable");
  mkdirSync(target, { recursive: true });
  using _mount = mountPrivately(snapshots.mounts(id, "rw"), target, "rw");
  return action(target);
}

/** Contents by path; a directory ends with a slash. */
function readAll(root: string): Readonly<Record<string, string>> {
  const found = readdirSync(root, { recursive: true, withFileTypes: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(root.length + 1);
    return entry.isDirectory() ? [`${name}/`, ""] : [name, readFileSync(path, "utf8")];
  });
  return Object.fromEntries(found) as Record<string, string>;
}
