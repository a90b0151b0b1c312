import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  utimesSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { SnapshotId } from "../../drivers/driver.ts";
import { overlayMount } from "../../drivers/overlay-mount.ts";
import { Overlay2Driver } from "../../drivers/overlay2/overlay2.ts";
import { describeDriver } from "./describe-driver.ts";

describeDriver(
  "overlay2",
  (root) => new Overlay2Driver({ name: "overlay2", home: join(root, "overlay2") }),
  { oneFileOfManyNames: false },
);

describe("overlay2's directories", () => {
  it("are docker's", () => {
    using store = temporaryDriver();
    const [base, middle, top] = store.stack(3);
    const mode = (path: string) => (lstatSync(join(store.home, path)).mode & 0o7777).toString(8);
    expect(readdirSync(join(store.home, base)).sort()).toEqual(["diff", "link"]);
    expect(readdirSync(join(store.home, top)).sort()).toEqual(
      ["diff", "link", "lower", "merged", "work"].sort(),
    );
    expect([mode("l"), mode(base), mode(`${base}/diff`), mode(`${top}/work`)]).toEqual([
      "700",
      "710",
      "755",
      "700",
    ]);
    const link = (id: string) => readFileSync(join(store.home, id, "link"), "latin1");
    for (const id of [base, middle, top]) {
      expect(link(id)).toMatch(/^[A-Z2-7]{26}$/);
      expect(readlinkSync(join(store.home, "l", link(id)))).toBe(`../${id}/diff`);
    }
    expect(readFileSync(join(store.home, top, "lower"), "latin1")).toBe(
      `l/${link(middle)}:l/${link(base)}`,
    );
    expect(store.driver.paths(top)).toEqual({
      LowerDir: `${store.home}/${middle}/diff:${store.home}/${base}/diff`,
      MergedDir: `${store.home}/${top}/merged`,
      UpperDir: `${store.home}/${top}/diff`,
      WorkDir: `${store.home}/${top}/work`,
    });
    store.driver.destroy([top, middle, base]);
    expect(readdirSync(store.home)).toEqual(["l"]);
    expect(readdirSync(join(store.home, "l"))).toEqual([]);
  });

  it("refuse more layers than the kernel stacks, with what to do", () => {
    using store = temporaryDriver();
    const parents = Array.from({ length: 501 }, (_, index) => idOf(index));
    expect(() => store.driver.create(idOf(999), parents)).toThrow(/can't stack 501 layers/);
    expect(store.driver.list()).toEqual([]);
    expect(() => overlayMount("/", { lower: parents })).toThrow(/can't stack 501 layers/);
  });

  it("are mounted with one string of options where the kernel knows no other way", () => {
    const lower = ["a/diff", "l/B"];
    const old = overlayMount("/home", { lower, upper: "u", work: "w" }, "6.7.12");
    expect(old).toMatchObject({ api: "mount", directory: "/home" });
    expect(old.options[0]).toBe("lowerdir=a/diff:l/B");
    const tooMany = Array.from({ length: 150 }, () => `l/${"A".repeat(26)}`);
    expect(() => overlayMount("/home", { lower: tooMany }, "5.15.0")).toThrow(/too many/);
    expect(overlayMount("/home", { lower: tooMany }, "6.8.0-rc1")).toMatchObject({
      api: "fsconfig",
    });
  });
});

function temporaryDriver() {
  const root = mkdtempSync(join(tmpdir(), "tsimg-overlay2-"));
  const driver = new Overlay2Driver({ name: "overlay2", home: join(root, "overlay2") });
  return {
    driver,
    home: driver.home,
    /** Created and sealed, base first. */
    stack(count: number): [SnapshotId, SnapshotId, SnapshotId] {
      const ids = Array.from({ length: count }, (_, index) => idOf(index));
      ids.forEach((id, index) => {
        const parents = ids.slice(0, index).toReversed();
        driver.create(id, parents);
        // A root of today has a time with a fraction, which is noted beside it.
        utimesSync(driver.layers.dir(id), 0, 0);
        driver.seal(id, parents);
      });
      return ids as [SnapshotId, SnapshotId, SnapshotId];
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

function idOf(index: number): SnapshotId {
  return index.toString(16).padStart(64, "0") as SnapshotId;
}
