import { describe, expect, test } from "vitest";
import { csvFields } from "../../../../src/runtime/mounts/csv.ts";
import { parseMountFlag } from "../../../../src/runtime/mounts/mount-flag.ts";

describe("--mount", () => {
  test("is CSV, with keys in any case and short forms", () => {
    expect(parseMountFlag('TYPE=bind,"src=/a,""b""",target=/x,Readonly')).toEqual({
      kind: "bind",
      source: '/a,"b"',
      destination: "/x",
      readonly: true,
      propagation: "rprivate",
      recursive: true,
      makesSource: false,
    });
    expect(csvFields('a,"b,c",,d')).toEqual(["a", "b,c", "", "d"]);
    for (const line of ['a"b', '"a', '"a"b', 'a,"', '"a\n'])
      expect(csvFields(line)).toBeUndefined();
  });

  test("is a volume unless it says otherwise", () => {
    expect(
      parseMountFlag("source=v,dst=/x,volume-nocopy=false,volume-label=a=b,volume-label=c"),
    ).toEqual({
      kind: "volume",
      name: "v",
      destination: "/x",
      readonly: false,
      copyUp: true,
      labels: { a: "b", c: "" },
      options: {},
    });
    expect(parseMountFlag("dst=/x,volume-nocopy")).toMatchObject({ kind: "volume", copyUp: false });
  });

  test("a tmpfs has a size and a mode", () => {
    expect(parseMountFlag("type=tmpfs,dst=/x,tmpfs-size=1m,tmpfs-mode=1770,ro=1").kind).toBe(
      "tmpfs",
    );
    expect(parseMountFlag("type=tmpfs,dst=/x,tmpfs-size=1m,tmpfs-mode=1770,ro=1")).toMatchObject({
      options: ["nosuid", "nodev", "noexec", "ro", "size=1048576", "mode=1770"],
    });
  });

  test("binds one mount or all below it", () => {
    const bind = (more: string) => parseMountFlag(`type=bind,src=./a,dst=/x,${more}`);
    expect(bind("bind-nonrecursive")).toMatchObject({ source: "./a", recursive: false });
    expect(bind("bind-recursive=disabled")).toMatchObject({ recursive: false });
    expect(bind("ro,bind-recursive=readonly")).toMatchObject({ recursive: true, readonly: true });
  });

  test.each([
    ["type=bind,src=/a,dst=/x,colour=red", 'unknown key "colour"'],
    ["type=bind,src=/a,dst=/x, ro", 'unknown key " ro"'],
    ["type=npipe,dst=/x", 'unknown type "npipe"'],
    ["type=image,src=a,dst=/x", 'unknown type "image"'],
    ["type=bind,dst=/x", '"source" is missing'],
    ["type=bind,src=a,dst=/x", "is not a path of the host"],
    ["type=bind,src=/a", '"destination" is missing'],
    ["type=bind,src=/a,dst=x", "not an absolute path"],
    ["type=bind,src=/a,dst=", 'the value of "dst" is empty'],
    ["type=bind,src,dst=/x", '"src" has no value'],
    ["type=bind,src=/a,dst=/x,ro=maybe", '"readonly=maybe" is not known'],
    ["type=bind,src=/a,dst=/x,volume-nocopy", '"volume-nocopy" is not for type=bind'],
    ["type=bind,src=/a,dst=/x,volume-label=a", '"volume-label" is not for type=bind'],
    ["type=bind,src=/a,dst=/x,bind-propagation=all", '"bind-propagation=all" is not known'],
    ["type=bind,src=/a,dst=/x,bind-recursive=writable", "is not possible here"],
    ["type=bind,src=/a,dst=/x,bind-recursive=readonly", 'needs "readonly"'],
    ["type=volume,src=/a,dst=/x", "is no volume name"],
    ["type=volume,dst=/x,ro", "can't be read-only"],
    ["type=volume,dst=/x,volume-subpath=a", "needs the name of a volume"],
    ["src=v,dst=/x,volume-subpath=../a", "is not below the volume"],
    ["src=v,dst=/x,volume-subpath=a/../..", "is not below the volume"],
    ["src=v,dst=/x,volume-subpath=/a", "is not below the volume"],
    ["src=v,dst=/x,volume-driver=nfs", '"volume-driver=nfs" is not known'],
    ["type=tmpfs,src=/a,dst=/x", '"source" is not for type=tmpfs'],
    ["type=tmpfs,dst=/x,tmpfs-mode=rwx", "is not octal"],
    ["type=tmpfs,dst=/x,tmpfs-size=much", 'invalid size "much"'],
    ['type=tmpfs,dst="/x"', "a quote stands in the wrong place"],
    ["", 'unknown key ""'],
  ])("%j is refused", (text, message) => {
    expect(() => parseMountFlag(text)).toThrow(message);
  });
});
