import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LiveRegion } from "../../../../src/cli/output/live-region.ts";
import { FakeTerminal } from "./fake-terminal.ts";

type Step =
  | { readonly do: "draw"; readonly lines: readonly string[] }
  | { readonly do: "print"; readonly length: number }
  | { readonly do: "resize"; readonly columns: number; readonly rows: number };

const draw = fc
  .array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.nat({ max: 100 })), { maxLength: 25 })
  .map(
    (lines): Step => ({
      do: "draw",
      lines: lines.map(([letter, length], at) => `${at}${letter.repeat(length)}`),
    }),
  );
const resize = fc
  .record({ columns: fc.integer({ min: 1, max: 100 }), rows: fc.integer({ min: 1, max: 25 }) })
  .map((size): Step => ({ do: "resize", ...size }));
const print = fc.nat({ max: 200 }).map((length): Step => ({ do: "print", length }));

const kind = fc.record({ reflows: fc.boolean(), pullsBack: fc.boolean() });

/** Carries out `steps`; each is followed by a check of the region, as it should be. */
function play(
  terminal: FakeTerminal,
  reflows: boolean,
  steps: readonly Step[],
  check: (region: readonly string[], permanent: readonly string[]) => void,
): void {
  const region = new LiveRegion(terminal, reflows);
  const permanent: string[] = [];
  let wanted: readonly string[] = [];
  const fitting = () =>
    wanted.slice(0, terminal.rows - 1).map((line) => line.slice(0, terminal.columns - 1));
  for (const step of steps) {
    if (step.do === "resize") terminal.resize(step.columns, step.rows);
    if (step.do === "draw") wanted = step.lines;
    if (step.do === "print") {
      const text = `P${permanent.length}${"p".repeat(step.length)}`;
      permanent.push(text);
      region.print(text, fitting(), region.size);
    } else region.draw(fitting(), region.size);
    check(fitting(), permanent);
  }
}

/** The rows directly above the cursor. */
function bottom(terminal: FakeTerminal, count: number): readonly string[] {
  const { row } = terminal.cursor;
  const rows = [...terminal.screen, ...Array<string>(terminal.rows).fill("")];
  return rows.slice(row - count, row);
}

describe("a live region", () => {
  test("shows its lines and nothing else, whatever is drawn and however the window changes", () => {
    const steps = fc
      .tuple(
        fc.array(fc.oneof(print, draw), { maxLength: 8 }),
        fc.array(fc.oneof(draw, resize), { maxLength: 15 }),
      )
      .map(([first, then]) => [...first, ...then]);
    fc.assert(
      fc.property(kind, steps, ({ reflows, pullsBack }, steps) => {
        const terminal = new FakeTerminal({ columns: 60, rows: 20, reflows, pullsBack });
        play(terminal, reflows, steps, (region) => {
          expect(bottom(terminal, region.length)).toEqual(region);
          expect(terminal.cursor.column).toBe(0);
          const above = terminal.screen.slice(0, terminal.cursor.row - region.length);
          // Whatever else is there was printed; a printed line may be cut or broken.
          expect(above.filter((row) => !/^(P\d*)?p*$|^\d+p*$/.test(row))).toEqual([]);
          expect(terminal.screen.length).toBeLessThanOrEqual(terminal.cursor.row);
        });
      }),
      { numRuns: 200 },
    );
  });

  test("never loses a printed line", () => {
    const steps = fc.array(fc.oneof(print, draw, resize), { maxLength: 20 });
    fc.assert(
      fc.property(fc.boolean(), steps, (pullsBack, steps) => {
        const terminal = new FakeTerminal({ columns: 60, rows: 20, pullsBack });
        play(terminal, true, steps, (region, permanent) => {
          expect(terminal.everything.filter((line) => line.startsWith("P"))).toEqual(permanent);
          expect(bottom(terminal, region.length)).toEqual(region);
        });
      }),
      { numRuns: 200 },
    );
  });

  test("writes once a frame, only what changed, and nothing when nothing did", () => {
    const terminal = new FakeTerminal({ columns: 40, rows: 10 });
    const region = new LiveRegion(terminal, true);
    region.draw(["one", "two", "three"], region.size);
    region.draw(["one", "TWO", "three"], region.size);
    region.draw(["one", "TWO", "three"], region.size);
    expect(terminal.writes.length).toBe(2);
    expect(terminal.writes[1]).not.toMatch(/one|three/);
    expect(terminal.screen).toEqual(["one", "TWO", "three"]);
  });

  test("clears what was echoed on the cursor's row", () => {
    const terminal = new FakeTerminal({ columns: 40, rows: 10 });
    const region = new LiveRegion(terminal, true);
    region.draw(["one"], region.size);
    terminal.write("^C");
    region.release();
    expect(terminal.screen).toEqual(["one"]);
    expect(terminal.cursor).toEqual({ row: 1, column: 0 });
    expect(terminal.cursorVisible).toBe(true);
  });
});
