import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { volumeData } from "../../../../src/runtime/mounts/mount-point.ts";
import { parseTmpfsFlag } from "../../../../src/runtime/mounts/tmpfs-flag.ts";
import { parseVolumeFlag } from "../../../../src/runtime/mounts/volume-flag.ts";
import { TsimgError } from "../../../../src/sys/error.ts";

describe("-v", () => {
  test.each([
    ["a/b:/data", "neither a path nor a volume name"],
    ["-x:/data", "neither a path nor a volume name"],
    ["/src:data", "not an absolute path"],
    ["data", "not an absolute path"],
    ["/src:/", 'can\'t be "/"'],
    ["/src:/a/..", 'can\'t be "/"'],
    ["/", 'can\'t be "/"'],
    ["/src:/data:rx", 'unknown option "rx"'],
    ["/src:/data:ro,rw", "contradict"],
    ["/src:/data:shared,slave", "contradict"],
    ["/src:/data:z,Z", "contradict"],
    ["/src:/data:nocopy", "about a volume"],
    ["name:/data:rshared", "about a path of the host"],
    ["/data:ro", "needs a source"],
    ["/src:/data:", "not [source:]destination"],
    [":/data", "not [source:]destination"],
    ["", "not [source:]destination"],
    ["/a:/b:ro:x", "not [source:]destination"],
    ["/a:/b\0", "not one that Linux takes"],
    ["/a\0:/b", "not a path that Linux takes"],
  ])("%j is refused", (text, message) => {
    expect(() => parseVolumeFlag(text)).toThrow(message);
  });

  test("no text leads a volume out of the store, nor a destination out of the root", () => {
    const part = fc.constantFrom("..", ".", "/", "a", "b", ":", "ro", "\0", "-", "_data");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        try {
          const request = parseVolumeFlag(parts.join(""));
          if (request.kind === "volume" && request.name !== undefined)
            expect(volumeData("/store", request.name)).toMatch(/^\/store\/[^/]+\/_data$/);
          expect(request.destination).toMatch(/^(\/(?!\.\.?(\/|$))[^/]+)+$/);
        } catch (error) {
          expect(error).toBeInstanceOf(TsimgError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("--tmpfs", () => {
  test("is careful unless told otherwise", () => {
    expect(parseTmpfsFlag("/run").options).toEqual(["nosuid", "nodev", "noexec"]);
    expect(parseTmpfsFlag("/run:exec,size=64m,mode=1777")).toEqual({
      kind: "tmpfs",
      destination: "/run",
      options: ["nosuid", "nodev", "exec", "size=64m", "mode=1777"],
    });
  });

  test.each(["run", "/", "/run:", "/run:bind", "/run:size=", "/run:context=x", "/run:size=1m,"])(
    "%j is refused",
    (text) => {
      expect(() => parseTmpfsFlag(text)).toThrow(TsimgError);
    },
  );
});
