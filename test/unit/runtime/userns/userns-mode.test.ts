import { describe, expect, test } from "vitest";
import { parseUsernsMode } from "../../../../src/runtime/userns/userns-mode.ts";

const parse = (userns?: string, uidmap: string[] = [], gidmap: string[] = []) =>
  parseUsernsMode({ ...(userns === undefined ? {} : { userns }), uidmap, gidmap });

describe("--userns", () => {
  test.each([
    [undefined, { kind: "host" }],
    ["", { kind: "host" }],
    ["host", { kind: "host" }],
    ["private", { kind: "private", size: 65_536 }],
    ["auto", { kind: "auto", size: 65_536 }],
    ["auto:size=1000", { kind: "auto", size: 1000 }],
    ["container:web", { kind: "container", container: "web" }],
    ["ns:/run/ns", { kind: "path", path: "/run/ns" }],
  ])("%j", (text, mode) => {
    expect(parse(text)).toEqual(mode);
  });

  test.each([
    ...["mine", "Host", "container:", "container", "ns:relative", "ns:"],
    ...["auto:size=0", "auto:size=x", "auto:", "private:size=4294967296", "host:x"],
  ])("%j is refused", (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: "ERR_USAGE" }));
  });
});

describe("--uidmap and --gidmap", () => {
  const range = (containerID: number, hostID: number, size: number) => ({
    ...{ containerID, hostID, size },
  });

  test("one of them is both", () => {
    const ids = [range(0, 100_000, 1000), range(1000, 5, 1)];
    const maps = { kind: "maps", uids: ids, gids: ids };
    expect(parse(undefined, ["0:100000:1000", "1000:5"])).toEqual(maps);
    expect(parse("private", [], ["0:100000:1000", "1000:5"])).toEqual(maps);
  });

  test("each may have its own", () => {
    expect(parse(undefined, ["0:1:2"], ["0:3:4"])).toEqual({
      ...{ kind: "maps", uids: [range(0, 1, 2)], gids: [range(0, 3, 4)] },
    });
  });

  test.each([
    [["0"], "invalid mapping"],
    [["0:1:0"], "invalid mapping"],
    [["0:1:2:3"], "invalid mapping"],
    [["-1:1:1"], "invalid mapping"],
    [["0:0:4294967296"], "invalid mapping"],
    [["1:0:1"], "no root"],
    [["0:10:5", "4:100:5"], "overlap"],
    [["0:10:5", "5:14:5"], "overlap"],
  ])("%j is refused: %s", (uidmap, words) => {
    expect(() => parse(undefined, uidmap)).toThrow(
      expect.objectContaining({ code: "ERR_USAGE", message: expect.stringContaining(words) }),
    );
  });

  test("they go with no other mode, and the kernel takes 340 lines", () => {
    expect(() => parse("auto", ["0:1:1"])).toThrow(expect.objectContaining({ code: "ERR_USAGE" }));
    const lines = (count: number) => Array.from({ length: count }, (_, at) => `${at}:${at}:1`);
    expect(parse(undefined, lines(340))).toMatchObject({ kind: "maps" });
    expect(() => parse(undefined, lines(341))).toThrow(/341 ranges/);
  });
});
