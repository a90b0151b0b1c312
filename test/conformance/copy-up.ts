import {
  appendFileSync,
  closeSync,
  constants,
  linkSync,
  openSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { file, link } from "../../fixtures/layers/change.ts";
import type { Keeps } from "./keeps.ts";
import { type MakeDriver, Workshop } from "./workshop.ts";
import { createOn, sealNow, stackOf, writable } from "./writable.ts";

/**
 * Where overlay is known not to be like other file systems: what is written goes to a copy
 * of the file below. Here stands what each kind of driver does, so that a change is noticed.
 * @see Documentation/filesystems/overlayfs.rst, "Non-standard behavior"
 */
export function describeCopyUp(makeDriver: MakeDriver, keeps: Keeps): void {
  describe("writes to a file below", () => {
    it(`through one name, ${keeps.oneFileOfManyNames ? "which" : "parted from"} the others`, async () => {
      using workshop = new Workshop(makeDriver);
      const top = await stackOf(workshop, [[file("a", "old"), link("b", "a"), link("c", "a")]]);
      const id = createOn(workshop, top);
      const seen = writable(workshop, id, (root) => {
        appendFileSync(join(root, "a"), " new");
        return ["a", "b", "c"].map((name) => readFileSync(join(root, name), "latin1"));
      });
      const others = keeps.oneFileOfManyNames ? "old new" : "old";
      expect(seen).toEqual(["old new", others, others]);
      sealNow(workshop, id);
      expect(workshop.mounted(id, (root) => readFileSync(join(root, "b"), "latin1"))).toBe(others);
    });

    // moby/moby#10180: rpm opened its database for reading, then again for writing
    it("which who had it open for reading sees", async () => {
      using workshop = new Workshop(makeDriver);
      const id = createOn(workshop, await stackOf(workshop, [[file("f", "old")]]));
      const seen = writable(workshop, id, (root) => {
        const reader = openSync(join(root, "f"), constants.O_RDONLY);
        writeFileSync(join(root, "f"), "new");
        const content = readFileSync(reader, "latin1");
        closeSync(reader);
        return content;
      });
      expect(seen).toBe("new");
    });

    it("through a link made before, which shares it everywhere", async () => {
      using workshop = new Workshop(makeDriver);
      const id = createOn(workshop, await stackOf(workshop, [[file("f", "old")]]));
      const seen = writable(workshop, id, (root) => {
        linkSync(join(root, "f"), join(root, "g"));
        appendFileSync(join(root, "g"), " new");
        return readFileSync(join(root, "f"), "latin1");
      });
      expect(seen).toBe("old new");
    });
  });
}
