import { describe, expect, it } from "vitest";
import type { BenchEvent } from "../../../src/bench/engine/event.ts";
import { type RunOptions, runSuites } from "../../../src/bench/engine/run-suites.ts";
import type { Measure } from "../../../src/bench/measure.ts";
import type { Place } from "../../../src/bench/place/place.ts";
import type { Stage } from "../../../src/bench/stage/stage.ts";
import type { Session, SetUp, Suite } from "../../../src/bench/suite.ts";

const WORK: Measure = { name: "work", unit: "seconds", better: "less" };

/** A place of which only the name counts. */
function placeNamed(name: string): Place {
  const counters = () => ({ written: 0, read: 0, calls: 0, processor: 0 });
  return { name, settle: async () => {}, chill() {}, counters } as unknown as Place;
}

/** A suite that notes what is done to it. */
function noting(
  journal: string[],
  more: Partial<Suite> = {},
  round: (setUp: SetUp) => void = () => {},
): Suite {
  return {
    ...{ name: "noting", question: "", method: "", source: "", weight: 1 },
    ...{ warmsUp: true, usual: true },
    open(setUp: SetUp): Session {
      const { name } = setUp.place;
      journal.push(`open ${name}`);
      return {
        round(recorder) {
          journal.push(name);
          round(setUp);
          recorder.record(WORK, journal.length);
        },
        async [Symbol.asyncDispose]() {
          journal.push(`close ${name}`);
        },
      };
    },
    ...more,
  };
}

async function run(suite: Suite, names: readonly string[], options: Partial<RunOptions> = {}) {
  const events: BenchEvent[] = [];
  const ended = runSuites([suite], names.map(placeNamed), {
    workload: { seed: 1, cache: "warm", layers: [1], parallel: [1], image: undefined },
    stage: {} as Stage,
    budget: 60_000,
    runs: undefined,
    signal: new AbortController().signal,
    onEvent: (event) => events.push(event),
    ...options,
  });
  await ended.catch((error: Error) => {
    if (error.name !== "AbortError") throw error;
  });
  const samples = events.flatMap((event) =>
    event.kind === "sample" && event.measure.name === WORK.name ? event.sample : [],
  );
  const notes = events.flatMap((event) => (event.kind === "note" ? event : []));
  return { samples, notes };
}

describe("a suite on several places", () => {
  it("measures them in turns, each round beginning with another, after a round that warms up", async () => {
    const journal: string[] = [];
    const { samples } = await run(noting(journal), ["a", "b", "c"], { runs: 3 });
    const opened = ["open a", "open b", "open c"];
    const closed = ["close a", "close b", "close c"];
    const rounds = ["a", "b", "c", "b", "c", "a", "c", "a", "b", "a", "b", "c"];
    expect(journal).toEqual([...opened, ...rounds, ...closed]);
    expect(samples).toHaveLength(9);
    expect(samples.map(({ round }) => round)).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3]);
  });

  it("counts the first round where there is nothing to warm up", async () => {
    const journal: string[] = [];
    const { samples } = await run(noting(journal, { warmsUp: false }), ["a", "b"], { runs: 2 });
    expect(journal.filter((line) => line.length === 1)).toEqual(["a", "b", "a", "b"]);
    expect(samples.map(({ round }) => round)).toEqual([1, 1, 2, 2]);
  });

  it("goes on without one that fails, says why, and takes it down", async () => {
    const journal: string[] = [];
    let turns = 0;
    const suite = noting(journal, {}, ({ place }) => {
      if (place.name === "b" && ++turns === 2) throw new Error("the disk is full");
    });
    const { samples, notes } = await run(suite, ["a", "b"], { runs: 4 });
    expect(notes).toMatchObject([{ place: "b", text: "the disk is full", out: true }]);
    expect(samples.filter(({ place }) => place === "a")).toHaveLength(4);
    expect(samples.filter(({ place }) => place === "b")).toHaveLength(0);
    expect(journal.filter((line) => line === "close b")).toHaveLength(1);
  });

  it("leaves out what can't be set up", async () => {
    const suite = noting([]);
    const open = (setUp: SetUp) => {
      if (setUp.place.name === "a") throw new Error("no such thing");
      return suite.open(setUp);
    };
    const { samples, notes } = await run({ ...suite, open }, ["a", "b"], { runs: 2 });
    expect(notes).toMatchObject([{ place: "a", text: "no such thing", out: true }]);
    expect(samples.map(({ place }) => place)).toEqual(["b", "b"]);
  });

  it("interrupted, tells what there is, warm-ups included, and takes everything down", async () => {
    const controller = new AbortController();
    const journal: string[] = [];
    const suite = noting(journal, {}, ({ place }) => {
      if (place.name === "b") controller.abort(new DOMException("interrupted", "AbortError"));
    });
    const { samples, notes } = await run(suite, ["a", "b", "c"], { signal: controller.signal });
    expect(samples.map(({ place, round }) => [place, round])).toEqual([
      ["a", 1],
      ["b", 1],
    ]);
    expect(notes.map(({ place }) => place)).toEqual(["a", "b"]);
    expect(journal.slice(-3)).toEqual(["close a", "close b", "close c"]);
  });

  it("measures variants of a place right behind it", async () => {
    const journal: string[] = [];
    const variants = (place: Place) => (place.name === "a" ? [{ ...place, name: "a+option" }] : []);
    await run(noting(journal, { variants }), ["a", "b"], { runs: 1 });
    expect(journal.slice(0, 3)).toEqual(["open a", "open a+option", "open b"]);
  });

  it("with no time left measures nothing, and says so", async () => {
    const { samples, notes } = await run(noting([]), ["a", "b"], { budget: 0 });
    expect(samples).toEqual([]);
    expect(notes.map(({ text }) => text)).toEqual([
      "the time was up before",
      "the time was up before",
    ]);
  });
});
