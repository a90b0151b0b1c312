import { describe, expect, test } from "vitest";
import type { MountFlags } from "../../../../src/runtime/mounts/mount-flags.ts";
import type { MountPoint } from "../../../../src/runtime/mounts/mount-point.ts";
import { type MountPlanInput, planMounts } from "../../../../src/runtime/mounts/plan-mounts.ts";
import { localMount } from "../../../../src/runtime/volume/local-options.ts";

const NONE: MountFlags = { volume: [], mount: [], tmpfs: [], volumesFrom: [] };

function plan(flags: Partial<MountFlags>, more: Partial<MountPlanInput> = {}) {
  let names = 0;
  return planMounts({
    flags: { ...NONE, ...flags },
    imageVolumes: [],
    pointsOf: () => [],
    volumeMount: (_, options) => localMount(options),
    volumesDirectory: "/store/volumes",
    workingDirectory: "/work",
    newName: () => `new${++names}`,
    ...more,
  });
}

const shown = ({ mounts }: ReturnType<typeof plan>) =>
  mounts.map(({ source, destination }) => `${source} ${destination}`);

const POINT = { destination: "/x", readonly: false } as const;
const BIND: MountPoint = {
  ...POINT,
  type: "bind",
  source: "/srv",
  propagation: "rprivate",
  recursive: true,
};
const ANONYMOUS: MountPoint = {
  ...POINT,
  type: "volume",
  name: "theirs",
  anonymous: true,
  destination: "/y",
  copyUp: true,
};

describe("a plan of mounts", () => {
  test("says what to mount, to make and to find", () => {
    const { mounts, points, volumes, directories, required } = plan({
      volume: ["/a/b/../c:/p/q:ro,z", "./rel:/r", "data:/d:nocopy", "/anon"],
      mount: ["type=bind,src=/must,dst=/m,bind-propagation=rslave"],
      tmpfs: ["/t"],
    });
    expect(mounts).toEqual([
      {
        destination: "/r",
        type: "bind",
        source: "/work/rel",
        options: ["rbind", "rprivate", "rw"],
      },
      {
        destination: "/d",
        type: "bind",
        source: "/store/volumes/data/_data",
        options: ["rbind", "rprivate", "rw"],
      },
      { destination: "/m", type: "bind", source: "/must", options: ["rbind", "rslave", "rw"] },
      {
        destination: "/anon",
        type: "bind",
        source: "/store/volumes/new1/_data",
        options: ["rbind", "rprivate", "rw"],
      },
      { destination: "/t", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "noexec"] },
      { destination: "/p/q", type: "bind", source: "/a/c", options: ["rbind", "rprivate", "rro"] },
    ]);
    expect(points.map(({ destination }) => destination)).toEqual([
      "/p/q",
      "/r",
      "/d",
      "/m",
      "/anon",
    ]);
    expect(volumes).toMatchObject([
      { name: "data", anonymous: false, copyUp: false },
      { name: "new1", anonymous: true, copyUp: true, destination: "/anon" },
    ]);
    expect({ directories, required }).toEqual({
      directories: ["/a/c", "/work/rel"],
      required: ["/must"],
    });
  });

  test("the image's volumes are made where nothing else is", () => {
    const made = plan(
      { volume: ["data:/one/", "/two"], tmpfs: ["/three"] },
      { imageVolumes: ["/one", "/two/", "three", "/four"] },
    );
    expect(shown(made)).toEqual([
      "/store/volumes/data/_data /one",
      "/store/volumes/new1/_data /two",
      "/store/volumes/new2/_data /four",
      "tmpfs /three",
    ]);
    expect(() => plan({}, { imageVolumes: ["/a/.."] })).toThrow(/declares a volume/);
  });

  test("what other containers have gives way to flags; the later container counts", () => {
    const pointsOf = (name: string): readonly MountPoint[] =>
      name === "a" ? [BIND, ANONYMOUS] : [{ ...BIND, source: "/other" }];
    const { mounts, volumes, directories } = plan(
      { volumesFrom: ["a:ro", "b"], volume: ["/y"] },
      { pointsOf, imageVolumes: ["/x"] },
    );
    expect(mounts).toEqual([
      { destination: "/x", type: "bind", source: "/other", options: ["rbind", "rprivate", "rw"] },
      {
        destination: "/y",
        type: "bind",
        source: "/store/volumes/theirs/_data",
        options: ["rbind", "rprivate", "rro"],
      },
    ]);
    // Their volume is not filled again, nor is their bind's source made.
    expect(volumes).toMatchObject([{ name: "theirs", anonymous: true, copyUp: false }]);
    expect(directories).toEqual([]);
    expect(shown(plan({ volumesFrom: ["a"], volume: ["mine:/y"] }, { pointsOf }))).toContain(
      "/store/volumes/mine/_data /y",
    );
  });

  test("a volume with options is mounted as these say", () => {
    const options = "volume-opt=type=tmpfs,volume-opt=device=tmpfs,volume-opt=o=size=1m";
    const { mounts, volumes } = plan({ mount: [`src=v,dst=/v,ro,${options}`] });
    expect(mounts).toEqual([
      { destination: "/v", type: "tmpfs", source: "tmpfs", options: ["size=1m", "ro"] },
    ]);
    expect(volumes[0]?.options).toEqual({ type: "tmpfs", device: "tmpfs", o: "size=1m" });
    expect(() => plan({ mount: [`src=v,dst=/v,volume-subpath=a,${options}`] })).toThrow(/subpath/);
  });

  test("a part of a volume says where links of containers begin", () => {
    const { mounts, volumes } = plan({ mount: ["src=v,dst=/v,volume-subpath=a/./b/"] });
    expect(mounts[0]).toMatchObject({ source: "/store/volumes/v/_data/a/b" });
    expect(mounts[0]?.options).toContain("x-subpath=a/b");
    expect(volumes[0]).toMatchObject({ copyUp: false, subpath: "a/b" });
  });

  test.each<Partial<MountFlags>>([
    { volume: ["/a:/x", "/b:/x/"] },
    { volume: ["a:/x"], tmpfs: ["/x"] },
    { volume: ["a:/x"], mount: ["dst=/x"] },
    { mount: ["dst=/x", "type=tmpfs,dst=/x"] },
  ])("two flags for one place are refused: %j", (flags) => {
    expect(() => plan(flags)).toThrow('two mounts for "/x"');
  });

  test("-v without a source twice is one volume, and gives way to one with a name", () => {
    expect(plan({ volume: ["/x", "/x/", "named:/x"] }).volumes).toMatchObject([{ name: "named" }]);
    expect(plan({ volume: ["/x", "/x/"] }).volumes).toHaveLength(1);
  });

  test("only the local driver is there", () => {
    expect(plan({ volumeDriver: "local" }).mounts).toEqual([]);
    expect(() => plan({ volumeDriver: "nfs" })).toThrow(/unknown volume driver "nfs"/);
  });

  test.each([":ro", "a:rx", "a:ro,rw", "a:rprivate", "a:nocopy", ""])(
    "--volumes-from %j is refused",
    (text) => {
      expect(() => plan({ volumesFrom: [text] })).toThrow(/--volumes-from/);
    },
  );
});
