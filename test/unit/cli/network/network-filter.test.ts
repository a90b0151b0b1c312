import { expect, it } from "vitest";
import { networkFilter } from "../../../../src/cli/network/network-filter.ts";

const BLUE = {
  ...{ id: "abc", name: "blue", driver: "bridge", builtin: false, used: false },
  labels: { team: "a", tier: "1" },
};
const passes = (...filters: string[]) => networkFilter(filters)(BLUE);

it("one value of each key must fit, and every label", () => {
  expect(passes("name=re", "name=blu", "driver=bridge")).toBe(true);
  expect(passes("name=blu", "driver=host")).toBe(false);
  expect(passes("label=team", "label=tier=1")).toBe(true);
  expect(passes("label=team=a", "label=tier=2")).toBe(false);
  expect(passes("type=custom", "dangling=true", "scope=local", "id=ab")).toBe(true);
  expect(passes("type=builtin")).toBe(false);
});

it("what isn't understood is refused", () => {
  for (const text of ["colour=red", "name", "type=odd", "dangling=maybe", "=x", "toString=x"])
    expect(() => networkFilter([text])).toThrow(/invalid/);
});
