import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { createPullProgress, type PullProgress } from "../../../../src/cli/output/progress.ts";
import type { LayerEvent } from "../../../../src/image/events.ts";
import { sha256Digest } from "../../../../src/oci/digest.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeTerminal } from "./fake-terminal.ts";

const DIGESTS = Array.from({ length: 30 }, (_, at) => sha256Digest(Buffer.from(`${at}`)));
const MB = 1_000_000;

/** Ended after each test, since an open display guards the cursor of the process. */
const open: PullProgress[] = [];
afterEach(() => {
  for (const progress of open.splice(0)) progress.close();
});

function setUp(layers: number, columns = 80, rows = 24) {
  const [terminal, clock] = [new FakeTerminal({ columns, rows }), new FakeClock()];
  const progress = createPullProgress(terminal, { clock, env: { TERM: "xterm" } });
  open.push(progress);
  progress.layers(DIGESTS.slice(0, layers).map((digest) => ({ digest, size: 100 * MB })));
  const event = (layer: number, phase: LayerEvent["phase"], current = 0, total = 100 * MB) => {
    const digest = DIGESTS[layer];
    if (digest !== undefined) progress.event({ digest, phase, current, total });
  };
  return { terminal, clock, progress, event };
}

function idOf(layer: number): string {
  return DIGESTS[layer]?.slice(7, 19) ?? "";
}

describe("on a terminal", () => {
  test("each layer has its line, in the image's order, a repeated one once", () => {
    const { terminal, clock, progress, event } = setUp(5);
    progress.layers([{ digest: DIGESTS[0] ?? "", size: 1 }]);
    event(0, "exists");
    event(1, "done");
    event(2, "stitching");
    event(3, "unpacking", 50 * MB);
    clock.advance(100);
    expect(terminal.screen).toEqual([
      `${idOf(0)}: Already exists`,
      `${idOf(1)}: Pull complete`,
      `${idOf(2)}: Stitching`,
      `${idOf(3)}: Unpacking   [=============>             ]   50MB/100MB`,
      `${idOf(4)}: Waiting`,
    ]);
  });

  test.each([
    [160, "Downloading [==============>                                   ] 29.6MB/100MB   12MB/s"],
    [80, "Downloading [=======>                   ] 29.6MB/100MB   12MB/s"],
    [58, "Downloading [=>   ] 29.6MB/100MB   12MB/s"],
    [50, "Downloading 29.6MB/100MB   12MB/s"],
    [40, "Downloading 29.6MB/100MB"],
    [30, "Downloading 29%"],
    [29, "Downloading"],
    [20, "Downl"],
  ])("at %d columns a line is what fits", (columns, expected) => {
    const { terminal, clock, event } = setUp(1, columns);
    for (let at = 0; at <= 8; at++) {
      event(0, "downloading", 20 * MB + at * 1.2 * MB);
      clock.advance(100);
    }
    expect(terminal.screen).toEqual([`${idOf(0)}: ${expected}`]);
  });

  test("the speed is that of the last second or so, without what was there before", () => {
    const { terminal, clock, event } = setUp(1);
    const speed = () => /(\S+)\/s$/.exec(terminal.screen[0] ?? "")?.[1];
    for (let at = 0; at < 30; at++) {
      event(0, "downloading", 50 * MB + at * MB);
      clock.advance(100);
    }
    expect(speed()).toMatch(/^(9|10)(\.\d+)?MB$/);
    clock.advance(10_000);
    expect(speed()).toBe("0B");
  });

  test("of more layers than rows the active ones show and the rest is counted", () => {
    const { terminal, clock, event } = setUp(12, 80, 7);
    for (const layer of [0, 1, 2, 3]) event(layer, "done");
    event(5, "downloading", MB);
    event(9, "unpacking", MB);
    clock.advance(100);
    expect(terminal.screen.map((line) => line.slice(0, 25))).toEqual([
      expect.stringContaining(`${idOf(4)}: Waiting`),
      expect.stringContaining(`${idOf(5)}: Download`),
      expect.stringContaining(`${idOf(6)}: Waiting`),
      expect.stringContaining(`${idOf(7)}: Waiting`),
      expect.stringContaining(`${idOf(9)}: Unpacking`),
      "... 7 more: 4 done, 3 wai",
    ]);
  });

  test("no event makes a torn, wrapped or doubled line, in windows of any size", () => {
    const phase = fc.constantFrom<LayerEvent["phase"][]>(
      "waiting",
      "downloading",
      "unpacking",
      "stitching",
      "done",
      "exists",
    );
    const step = fc.oneof(
      fc.record({ layer: fc.nat({ max: 29 }), phase, current: fc.nat({ max: 120 * MB }) }),
      fc.record({
        columns: fc.integer({ min: 1, max: 130 }),
        rows: fc.integer({ min: 1, max: 40 }),
      }),
      fc.record({ ms: fc.nat({ max: 400 }) }),
    );
    const whole =
      /^[0-9a-f]{12}: (Waiting|Stitching|Pull complete|Already exists|Downloading|Unpacking)/;
    const property = fc.property(fc.nat({ max: 30 }), fc.array(step), (layers, steps) => {
      const { terminal, clock, progress, event } = setUp(layers);
      for (const step of steps) {
        if ("ms" in step) clock.advance(step.ms);
        else if ("rows" in step) terminal.resize(step.columns, step.rows);
        else if (step.layer < layers) event(step.layer, step.phase, step.current);
      }
      clock.advance(100);
      const { screen, columns, rows } = terminal;
      expect(screen.every((line) => line.length < columns)).toBe(true);
      expect(terminal.cursor).toEqual({ row: Math.min(layers, rows - 1), column: 0 });
      if (columns > 30) {
        const own = screen.filter((line) => !line.startsWith("... "));
        expect(own.filter((line) => !whole.test(line))).toEqual([]);
        expect(new Set(own.map((line) => line.slice(0, 12))).size).toBe(own.length);
        expect(own.length).toBe(layers < rows ? layers : Math.max(0, rows - 2));
      }
      expect(terminal.cursorVisible).toBe(layers === 0 && terminal.writes.length === 0);
      progress.close();
      expect(terminal.cursorVisible).toBe(true);
      expect([terminal.listenerCount, clock.waiting]).toEqual([0, 0]);
    });
    fc.assert(property, { numRuns: 150 });
  });

  test("a thousand events in a second are at most sixteen writes", () => {
    const { terminal, clock, event } = setUp(3);
    for (let at = 0; at < 1000; at++) {
      event(at % 3, "downloading", at * 10_000);
      clock.advance(1);
    }
    expect(terminal.writes.length).toBeLessThanOrEqual(16);
  });

  test("a line is printed above the layers, its control characters shown", () => {
    const { terminal, progress } = setUp(1);
    progress.line("latest: Pulling from evil\x1b[2Jname");
    expect(terminal.screen).toEqual([
      "latest: Pulling from evil\\x1b[2Jname",
      `${idOf(0)}: Waiting`,
    ]);
  });

  test("listeners of the process are gone after closing, also twice", () => {
    const names = ["exit", "SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP"];
    const before = names.map((name) => process.listenerCount(name));
    const { progress } = setUp(1);
    expect(names.map((name) => process.listenerCount(name))).toEqual(before.map((n) => n + 1));
    progress.close();
    progress.close();
    expect(names.map((name) => process.listenerCount(name))).toEqual(before);
  });
});

describe("elsewhere", () => {
  function piped(quiet: boolean) {
    const lines: string[] = [];
    const stream = {
      isTTY: false,
      write: (text: string) => lines.push(text) > 0,
      on() {},
      off() {},
    };
    return { lines, progress: createPullProgress(stream, { quiet }) };
  }

  function tellAll(progress: PullProgress): void {
    const [first, second] = DIGESTS;
    if (first === undefined || second === undefined) return;
    progress.line("latest: Pulling from alpine");
    progress.layers([
      { digest: first, size: 2 },
      { digest: second, size: 2 },
    ]);
    progress.event({ digest: second, phase: "exists", current: 2, total: 2 });
    const phases = [
      "waiting",
      "downloading",
      "downloading",
      "unpacking",
      "stitching",
      "done",
    ] as const;
    for (const [current, phase] of phases.entries())
      progress.event({ digest: first, phase, current: Math.min(2, current), total: 2 });
    progress.close();
  }

  test("each step of a layer is one line", () => {
    const { lines, progress } = piped(false);
    tellAll(progress);
    expect(lines.join("")).toBe(
      [
        "latest: Pulling from alpine",
        `${idOf(1)}: Already exists`,
        `${idOf(0)}: Pulling fs layer`,
        `${idOf(0)}: Download complete`,
        `${idOf(0)}: Pull complete`,
        "",
      ].join("\n"),
    );
  });

  test("quiet says nothing", () => {
    const { lines, progress } = piped(true);
    tellAll(progress);
    expect(lines).toEqual([]);
  });
});
