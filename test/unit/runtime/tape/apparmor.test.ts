import { expect, test } from "vitest";
import { setAppArmor } from "../../../../src/runtime/tape/apparmor.ts";
import { explainTape } from "../../../../src/runtime/tape/explain.ts";
import { Steps } from "../../../../src/runtime/tape/steps.ts";

test("the label is written through a procfs that nothing is mounted over", () => {
  const steps = new Steps();
  setAppArmor(steps, "größe");
  const [open, , , mount, find, write] = steps.list;
  expect([open?.call, mount?.call, find?.call, write?.call]).toEqual([
    "fsopen",
    "fsmount",
    "openat2",
    "write",
  ]);
  // Found from the new mount, and by no path that another file could stand in.
  expect(find?.args[0]).toEqual(mount?.result);
  const text = explainTape({
    before: [],
    cloneFlags: [],
    beside: [],
    child: steps.list,
    after: [],
    options: [],
    files: {},
  });
  expect(text).toContain("RESOLVE_BENEATH|RESOLVE_NO_XDEV|RESOLVE_NO_MAGICLINKS");
  // Bytes, not characters.
  expect(write?.args.slice(1)).toEqual(["exec größe", 12]);
});
