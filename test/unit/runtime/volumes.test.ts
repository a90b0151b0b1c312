import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseTmpfs } from "../../../src/runtime/tmpfs.ts";
import { parseVolume, volumeDirectory, volumeMount } from "../../../src/runtime/volumes.ts";
import { TsimgError } from "../../../src/sys/error.ts";

describe("volumes", () => {
  test("a directory of the host is mounted with all below it, private unless asked", () => {
    const volume = parseVolume("/srv//data/:/data/:ro,z");
    expect(volumeMount(volume, "/store/volumes")).toEqual({
      destination: "/data",
      type: "bind",
      source: "/srv/data/",
      options: ["rbind", "rprivate", "rro"],
    });
    const shared = volumeMount(parseVolume("/a:/b:rshared"), "/store/volumes");
    expect(shared.options).toEqual(["rbind", "rshared", "rw"]);
  });

  test("a name stands for a directory in the store", () => {
    const volume = parseVolume("my.data-1:/data:nocopy");
    expect(volumeDirectory(volume, "/store/volumes")).toEqual({
      path: "/store/volumes/my.data-1/_data",
      source: { kind: "named", name: "my.data-1" },
      destination: "/data",
      copyUp: false,
    });
  });

  test.each([
    ["/data", "a source is missing"],
    ["./src:/data", "neither an absolute path nor a volume name"],
    ["a/b:/data", "neither an absolute path nor a volume name"],
    ["../x:/data", "neither an absolute path nor a volume name"],
    ["..:/data", "neither an absolute path nor a volume name"],
    ["/src:data", "not an absolute path"],
    ["/src:/", 'can\'t be "/"'],
    ["/src:/a/..", 'can\'t be "/"'],
    ["/src:/data:rx", 'unknown option "rx"'],
    ["/src:/data:ro,rw", "contradict"],
    ["/src:/data:shared,slave", "contradict"],
    ["/src:/data:", "not source:destination"],
    [":/data", "not source:destination"],
    ["/a:/b:ro:x", "not source:destination"],
    ["/a:/b\0", "not one that Linux takes"],
  ])("%j is refused", (text, message) => {
    expect(() => parseVolume(text)).toThrow(message);
  });

  test("no text leads a named volume out of the store, nor a destination out of the root", () => {
    const part = fc.constantFrom("..", ".", "/", "a", "b", ":", "ro", "\0", "-", "_data");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        try {
          const volume = parseVolume(parts.join(""));
          const { path, source } = volumeDirectory(volume, "/store");
          if (source.kind === "named") expect(path).toMatch(/^\/store\/[^/]+\/_data$/);
          expect(volume.destination).toMatch(/^(\/(?!\.\.?(\/|$))[^/]+)+$/);
        } catch (error) {
          expect(error).toBeInstanceOf(TsimgError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("tmpfs", () => {
  test("is careful unless told otherwise", () => {
    expect(parseTmpfs("/run").options).toEqual(["nosuid", "nodev", "noexec"]);
    expect(parseTmpfs("/run:exec,size=64m,mode=1777")).toEqual({
      destination: "/run",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "nodev", "exec", "size=64m", "mode=1777"],
    });
  });

  test.each(["run", "/", "/run:", "/run:bind", "/run:size=", "/run:context=x", "/run:size=1m,"])(
    "%j is refused",
    (text) => {
      expect(() => parseTmpfs(text)).toThrow(TsimgError);
    },
  );
});
