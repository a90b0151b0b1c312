import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SnapshotId } from "../../../../drivers/driver.ts";
import { datasetOf, idOf, requireDatasetName } from "../../../../drivers/zfs/dataset-name.ts";
import { type PoolEntry, parsePool, planOf } from "../../../../drivers/zfs/destroy-command.ts";
import { parseFacts } from "../../../../drivers/zfs/listing.ts";
import { obstacleError } from "../../../../drivers/zfs/obstacle.ts";
import { datasetProperties, propertyArguments } from "../../../../drivers/zfs/properties.ts";

const HOME = "tank/tsimg";

describe("names of datasets", () => {
  it("are those that ZFS allows and that leave room for ours", () => {
    for (const name of ["tank", "tank/a", "t/a_b-c.d:e/f"]) requireDatasetName(name);
    const wrong = ["", "/", "tank/", "/tank", "tank//a", "tank/a@b", "tank/-a", "-o/x", "1tank"];
    for (const name of [...wrong, "tank/a b", "tank/a\n", "tank/..", "tank/ü", "tank/a%b"])
      expect(() => requireDatasetName(name), name).toThrow(/no name of a ZFS dataset/);
    const longest = `tank/${"a".repeat(255 - 5 - 65 - 11)}`;
    requireDatasetName(longest);
    expect(() => requireDatasetName(`${longest}a`)).toThrow(/too long/);
  });

  it("lead to an id and back, and nothing else does", () => {
    const id = "0f".repeat(32) as SnapshotId;
    expect(idOf(HOME, datasetOf(HOME, id))).toBe(id);
    for (const other of ["../x", "-r", "", id.toUpperCase(), `${id}0`])
      expect(() => datasetOf(HOME, other as SnapshotId)).toThrow(/no snapshot's id/);
    for (const other of [HOME, `${HOME}/mine`, `${HOME}/${id}/x`, `tank/x/${id}`, `${HOME}x/${id}`])
      expect(idOf(HOME, other)).toBeUndefined();
  });
});

describe("properties", () => {
  it("are the implementation's, the store's and the snapshot's, the last one winning", () => {
    const store = { compression: "zstd-3", atime: "on" };
    expect(datasetProperties("zfs", "kernel", [store, { size: "1G", compression: "lz4" }])).toEqual(
      {
        atime: "on",
        xattr: "sa",
        acltype: "posixacl",
        compression: "lz4",
        refquota: "1073741824",
        "com.sun:auto-snapshot": "false",
      },
    );
    const fuse = datasetProperties("zfs", "fuse", [{}]);
    expect(propertyArguments(fuse)).toEqual([
      ...["-o", "atime=off", "-o", "xattr=on"],
      ...["-o", "com.sun:auto-snapshot=false"],
    ]);
  });

  it("that there are not, or that have no such value, are refused with what there is", () => {
    const refuse = (
      options: Record<string, string>,
      implementation: "kernel" | "fuse" = "kernel",
    ) => expect(() => datasetProperties("zfs", implementation, [options]));
    refuse({ mountpoint: "/etc" }).toThrow(/no storage option 'mountpoint'/);
    refuse({ acltype: "posixacl" }, "fuse").toThrow(/zfs-fuse has no property 'acltype'/);
    for (const value of ["", "on ", "gzip-0", "lz4\n", "-o", "zstd-", "on;reboot"])
      refuse({ compression: value }).toThrow(/is no value/);
    for (const value of ["0", "-1", "1.5G", "1X", "none", "9999999999P", "1G "])
      refuse({ recordsize: value }).toThrow(/is no value/);
    refuse({ size: "ten" }).toThrow(/storage option 'size'/);
  });

  it("that are sizes have docker's units", () => {
    const refquota = (size: string) => datasetProperties("zfs", "kernel", [{ size }])["refquota"];
    expect(["1", "1b", "1k", "2KB", "3MiB", "4g", "5TB", "none"].map(refquota)).toEqual([
      ...["1", "1", "1024", "2048", "3145728", "4294967296", "5497558138880", "none"],
    ]);
  });
});

describe("what zfs answers", () => {
  it("is read by dataset: bytes and origin, snapshots left out", () => {
    const text = [
      ["tank/tsimg", "type", "filesystem"],
      ["tank/tsimg", "usedbydataset", "98304"],
      ["tank/tsimg", "origin", "-"],
      ["tank/tsimg/b", "type", "filesystem"],
      ["tank/tsimg/b", "usedbydataset", "77"],
      ["tank/tsimg/b", "origin", "tank/tsimg/a@tsimg-seal"],
      ["tank/tsimg/b@tsimg-seal", "type", "snapshot"],
      ["tank/tsimg/v", "type", "volume"],
    ];
    const facts = parseFacts(`${text.map((line) => line.join("\t")).join("\n")}\n`);
    expect([...facts]).toEqual([
      ["tank/tsimg", { bytes: 98304, origin: undefined }],
      ["tank/tsimg/b", { bytes: 77, origin: "tank/tsimg/a" }],
    ]);
    expect(parseFacts("")).toEqual(new Map());
  });

  it("is read by pool: name, origin, holds", () => {
    expect(parsePool("tank\t-\t-\ntank/a@s\t-\t2\ntank/b\ttank/a@s\t-\n")).toEqual([
      { name: "tank", origin: "-", holds: 0 },
      { name: "tank/a@s", origin: "-", holds: 2 },
      { name: "tank/b", origin: "tank/a@s", holds: 0 },
    ]);
  });
});

describe("a plan to destroy", () => {
  /** A pool of clones by their parents' numbers; `-1` for none. */
  const forest = fc
    .array(fc.nat(), { minLength: 1, maxLength: 12 })
    .map((seeds) => seeds.map((seed, index) => (seed % (index + 1)) - 1));
  const name = (index: number) => `tank/n${index}`;
  const entries = (parents: readonly number[]): readonly PoolEntry[] =>
    parents.flatMap((parent, index) => [
      { name: name(index), origin: parent < 0 ? "-" : `${name(parent)}@tsimg-seal`, holds: 0 },
      { name: `${name(index)}@tsimg-seal`, origin: "-", holds: 0 },
    ]);
  const ancestors = (parents: readonly number[], of: number): readonly number[] =>
    of < 0 ? [] : [of, ...ancestors(parents, parents[of] ?? -1)];

  it("takes one command for each tree of clones", () => {
    fc.assert(
      fc.property(forest, (parents) => {
        const all = parents.map((_, index) => name(index)).toReversed();
        const { roots, obstacles } = planOf([...all, "tank/gone"], entries(parents));
        expect(obstacles).toEqual([]);
        const trees = all.filter((_, index) => parents[all.length - 1 - index] === -1);
        expect(roots).toEqual(trees);
      }),
    );
  });

  it("keeps whatever something foreign stands on, down to the first parent, and names it", () => {
    fc.assert(
      fc.property(
        forest,
        fc.nat(),
        fc.constantFrom("snapshot", "clone", "child", "hold"),
        (parents, seed, kind) => {
          const at = seed % parents.length;
          const foreign: Readonly<Record<string, PoolEntry>> = {
            snapshot: { name: `${name(at)}@daily`, origin: "-", holds: 0 },
            clone: { name: "tank/other", origin: `${name(at)}@tsimg-seal`, holds: 0 },
            child: { name: `${name(at)}/x`, origin: "-", holds: 0 },
            hold: { name: `${name(at)}@daily`, origin: "-", holds: 1 },
          };
          const pool = [
            ...entries(parents),
            ...Object.values(foreign).filter((it) => it === foreign[kind]),
          ];
          const all = parents.map((_, index) => name(index)).toReversed();
          const { roots, obstacles } = planOf(all, pool);
          expect(new Set(obstacles.map((it) => it.dataset))).toEqual(new Set([name(at)]));
          expect(obstacleError(obstacles).message).toContain(foreign[kind]?.name);
          // What a command destroys with -R: everything that stands on its root.
          const kept = ancestors(parents, at).map(name);
          const destroyed = parents
            .map((_, index) => index)
            .filter((it) => ancestors(parents, it).some((below) => roots.includes(name(below))))
            .map(name);
          expect(destroyed.filter((it) => kept.includes(it))).toEqual([]);
          expect([...destroyed, ...kept].sort()).toEqual([...all].sort());
        },
      ),
    );
  });

  it("never takes what was not asked for", () => {
    fc.assert(
      fc.property(
        forest,
        fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
        (parents, wish) => {
          const wanted = parents.map((_, index) => index).filter((index) => wish[index]);
          const { roots } = planOf(wanted.map(name).toReversed(), entries(parents));
          for (const index of parents.keys())
            if (ancestors(parents, index).some((below) => roots.includes(name(below))))
              expect(wanted).toContain(index);
        },
      ),
    );
  });
});
