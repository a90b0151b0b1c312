import { expect, it } from "vitest";
import {
  bridgeAlias,
  type Link,
  straysAmong,
} from "../../../../src/runtime/network/stray-bridges.ts";

const LINKS: readonly Link[] = [
  { ifname: "eth0" },
  { ifname: "docker0", ifalias: "somebody's" },
  { ifname: "tsimg-a", ifalias: "tsimg:/a" },
  { ifname: "ts-a2", ifalias: "tsimg:/a" },
  { ifname: "tsimg-b", ifalias: "tsimg:/b" },
  { ifname: "ts-b2", ifalias: "tsimg:/b" },
  { ifname: "tsabce0", master: "ts-b2" },
  { ifname: "tsimg-c", ifalias: "tsimg:/c" },
];

it("bridges of stores that are gone are found, but for those that somebody is in", () => {
  expect(straysAmong(LINKS, (root) => root === "/c")).toEqual([
    { root: "/a", bridges: ["tsimg-a", "ts-a2"] },
  ]);
  expect(straysAmong(LINKS, () => true)).toEqual([]);
});

it("a bridge that its store has no row of is one, and those with one stay", () => {
  const isKnown = (root: string, bridge: string) => root !== "/a" || bridge === "tsimg-a";
  expect(straysAmong(LINKS, isKnown)).toEqual([{ root: "/a", bridges: ["ts-a2"] }]);
});

it("only paths are marks that can neither break a line of ip's input nor be cut off", () => {
  expect(bridgeAlias("/var/lib/tsimg")).toBe("tsimg:/var/lib/tsimg");
  for (const root of ["/a b", '/"', "/a\nlink delete dev eth0", "/#", `/${"x".repeat(250)}`])
    expect(bridgeAlias(root)).toBeUndefined();
});
