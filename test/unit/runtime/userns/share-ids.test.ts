import { expect, test } from "vitest";
import { shareIds } from "../../../../src/runtime/userns/choose-maps.ts";

const maps = (uid: number, gid: number, size = 1000) => ({
  uidMappings: [{ containerID: 0, hostID: uid, size }],
  gidMappings: [{ containerID: 0, hostID: gid, size }],
});

test("maps share IDs when users or groups overlap, not when they touch", () => {
  const one = maps(10_000, 50_000);
  expect(shareIds(one, [])).toBe(false);
  expect(shareIds(one, [maps(11_000, 51_000), maps(9000, 49_000)])).toBe(false);
  expect(shareIds(one, [maps(10_999, 90_000)])).toBe(true);
  expect(shareIds(one, [maps(90_000, 49_001)])).toBe(true);
  expect(shareIds(one, [maps(0, 0, 100_000)])).toBe(true);
  // Users of one and groups of the other have nothing to do with each other.
  expect(shareIds(one, [maps(50_000, 10_000)])).toBe(false);
});
