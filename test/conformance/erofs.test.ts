import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { SnapshotId } from "../../drivers/driver.ts";
import { ErofsDriver } from "../../drivers/erofs/erofs.ts";
import { isMounted, unmountImage } from "../../drivers/erofs/image-mount.ts";
import { type Change, file, remove } from "../../fixtures/layers/change.ts";
import { layerTar } from "../../fixtures/layers/layer-tar.ts";
import { LayerSink } from "../../src/layer/archive-sink.ts";
import { beginErofsLayer, openErofsLayer } from "../../src/layer/erofs/erofs-layer.ts";
import { DEFAULT_TAR_LIMITS } from "../../src/layer/tar/limits.ts";
import { openMount } from "../../src/sys/detached-mount.ts";
import { missing } from "../peers/requirements.ts";
import { describeDriver } from "./describe-driver.ts";
import { KEEPS_ALL } from "./keeps.ts";

describeDriver(
  "erofs",
  (root) => new ErofsDriver({ name: "erofs", home: join(root, "erofs") }),
  // Times in an image are exact; what a container writes is on the file system below.
  { oneFileOfManyNames: false, times: KEEPS_ALL.times },
);

const absent = missing([]);

describe.skipIf(absent !== undefined)(
  `erofs's images${absent === undefined ? "" : ` (skipped: ${absent})`}`,
  () => {
    it("are mounted once, for all that is built on them, and again after that is undone", () => {
      using store = new Store();
      const { driver } = store;
      const base = store.layer([file("a", "1")], []);
      const target = join(driver.home, base, "mnt");
      expect(isMounted(target)).toBe(false);
      const containers = [1, 2].map(() => store.container([base]));
      expect(isMounted(target)).toBe(true);
      const device = lstatSync(target).dev;
      for (const id of containers) driver.attach(id, [base]);
      expect(lstatSync(target).dev).toBe(device);
      unmountImage(target);
      // As after a reboot.
      expect(store.read(containers[0] ?? base, [base], "a")).toBe("1");
      expect(isMounted(target)).toBe(true);
      driver.destroy([...containers, base]);
      expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(driver.home);
    });

    it("take sealed containers among them as parents", () => {
      using store = new Store();
      const { driver } = store;
      const base = store.layer([file("a", "1"), file("b", "1"), file("c", "1")], []);
      const middle = store.container([base]);
      writeFileSync(join(driver.home, middle, "diff/a"), "2");
      driver.seal(middle);
      const top = store.layer([file("b", "3"), remove("c")], [middle, base]);
      const chain = [top, middle, base];
      const container = store.container(chain);
      const shown = ["a", "b", "c"].map((name) => store.read(container, chain, name));
      expect(shown).toEqual(["2", "3", undefined]);
      const lower = chain.map((id) => join(driver.home, id, id === middle ? "diff" : "mnt"));
      expect(driver.paths(container, chain)["LowerDir"]).toBe(lower.join(":"));
    });

    it("are all that is kept of what an unpack process leaves", () => {
      using store = new Store();
      const { driver } = store;
      const outside = join(driver.home, "outside");
      const id = store.begun([file("a", "1")], []);
      mkdirSync(outside);
      writeFileSync(join(outside, "kept"), "");
      symlinkSync(outside, join(driver.home, id, "mnt"));
      symlinkSync(join(outside, "kept"), join(driver.home, id, "cut"));
      mkdirSync(join(driver.home, id, "diff"));
      driver.layers.cutBelow(id);
      driver.seal(id);
      expect(readdirSync(join(driver.home, id)).sort()).toEqual(["cut", "layer.erofs", "mnt"]);
      expect(readdirSync(outside)).toEqual(["kept"]);
      rmSync(outside, { recursive: true });
      expect(store.read(id, [], "a")).toBe("1");
    });

    it("are refused when they are no files", () => {
      using store = new Store();
      const { driver } = store;
      const id = store.begun([], []);
      rmSync(join(driver.home, id, "layer.erofs"));
      symlinkSync("/etc/passwd", join(driver.home, id, "layer.erofs"));
      expect(() => driver.seal(id)).toThrow(/is no file/);
    });
  },
);

/** A driver alone, in a directory of its own. */
class Store implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), "tsimg-erofs-"));
  readonly driver = new ErofsDriver({ name: "erofs", home: join(this.root, "erofs") });
  private count = 0;

  /** A layer whose image is complete, not yet sealed. */
  begun(changes: readonly Change[], parents: readonly SnapshotId[]): SnapshotId {
    const id = this.newId();
    this.driver.layers.begin(id, parents);
    const { target, finish } = beginErofsLayer(this.driver.layers.dir(id));
    const sink = new LayerSink(DEFAULT_TAR_LIMITS, target, finish);
    sink.push(layerTar(changes));
    sink.finish();
    using layer = openErofsLayer(this.driver.layers.dir(id));
    layer.finish();
    return id;
  }

  layer(changes: readonly Change[], parents: readonly SnapshotId[]): SnapshotId {
    const id = this.begun(changes, parents);
    this.driver.seal(id);
    return id;
  }

  container(parents: readonly SnapshotId[]): SnapshotId {
    const id = this.newId();
    this.driver.create(id, parents);
    return id;
  }

  /** What a snapshot shows of a file; undefined when there is none. */
  read(id: SnapshotId, parents: readonly SnapshotId[], name: string): string | undefined {
    this.driver.attach(id, parents);
    using mount = openMount(this.driver.mounts(id, parents, "ro"), "ro", () => this.root);
    const path = join(mount.path, name);
    return existsSync(path) ? readFileSync(path, "utf8") : undefined;
  }

  [Symbol.dispose](): void {
    this.driver.destroy(this.driver.list());
    rmSync(this.root, { recursive: true, force: true });
  }

  private newId(): SnapshotId {
    return (++this.count).toString(16).padStart(64, "0") as SnapshotId;
  }
}
