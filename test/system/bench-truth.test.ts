import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StorageDriver } from "../../drivers/driver.ts";
import { runSuites } from "../../src/bench/engine/run-suites.ts";
import type { Place } from "../../src/bench/place/place.ts";
import { makePoolPlace } from "../../src/bench/place/pool-place.ts";
import { Collection } from "../../src/bench/results/collect.ts";
import type { MeasureResults } from "../../src/bench/results/results.ts";
import { Stage } from "../../src/bench/stage/stage.ts";
import type { Suite } from "../../src/bench/suite.ts";
import { containerd16 } from "../../src/bench/suites/containerd16.ts";
import { depth } from "../../src/bench/suites/depth.ts";
import { openWorkspace } from "../../src/bench/workspace/workspace.ts";
import { missing } from "../peers/requirements.ts";
import { type TemporaryDirectory, temporaryDirectory } from "./support/temporary.ts";

const absent = missing(["mkfs.ext4", "mount"]);
const GiB = 2 ** 30;
/** How often equal drivers are compared. */
const RUNS = 20;
const never = new AbortController().signal;
/** What else the machine does can shift one measurement; it doesn't shift three alike. */
const AGAIN = { retry: 2, timeout: 400_000 } as const;

describe.skipIf(absent !== undefined)(`figures of known truth ${absent ?? ""}`, () => {
  let directory: TemporaryDirectory;
  beforeAll(() => {
    directory = temporaryDirectory();
  });
  afterAll(() => directory[Symbol.dispose]());

  it(
    "a driver that is 4 ms slower at one thing comes out so at it, and at no other",
    AGAIN,
    async () => {
      const measures = await measure(containerd16, 10, (makePlace) => {
        const place = makePlace(1);
        return [place, slowed(place, 4)];
      });
      const [prepare, write] = ["prepare and mount a layer", "change 10 files in it"].map((name) =>
        measures.find((each) => each.name === name),
      );
      expect(differenceOf(prepare)).toBeGreaterThan(0.0037);
      expect(differenceOf(prepare)).toBeLessThan(0.006);
      expect(prepare?.places[1]?.comparison?.differs).toBe(true);
      expect(prepare?.places.map(({ best }) => best)).toEqual([true, false]);
      expect(Math.abs(differenceOf(write))).toBeLessThan(0.005);
    },
  );

  it(
    `two copies of a driver can't be told apart in at least 19 of ${RUNS} runs`,
    AGAIN,
    async () => {
      const apart = new Map<string, number>();
      for (let run = 0; run < RUNS; run++) {
        const both = await measure(depth, 8, (makePlace) => [makePlace(1), makePlace(2)]);
        for (const { name, parameter, places } of both) {
          const key = `${name} ${parameter?.value ?? ""}`;
          const differs = places[1]?.comparison?.differs === true;
          apart.set(key, (apart.get(key) ?? 0) + (differs ? 1 : 0));
        }
      }
      expect(apart.size).toBeGreaterThan(10);
      expect([...apart].filter(([, count]) => count > 1)).toEqual([]);
    },
  );

  /** One suite on places that are made for it, as the command does. */
  async function measure(
    suite: Suite,
    runs: number,
    choose: (makePlace: (copy: number) => Place) => readonly Place[],
  ): Promise<readonly MeasureResults[]> {
    await using workspace = await openWorkspace(directory.path);
    const kind = "overlay2" as const;
    const places = choose((copy) =>
      makePoolPlace(workspace.app, { kind, pool: undefined, copy }, 2 * GiB, 1),
    );
    await using stage = new Stage(workspace, 1, never);
    const collection = new Collection();
    await runSuites([suite], places, {
      workload: { seed: 1, cache: "warm", layers: [1, 8], parallel: [1], image: undefined },
      stage,
      budget: 60_000,
      runs,
      signal: never,
      onEvent: (event) => collection.add(event),
    });
    const names = places.map(({ name }) => name);
    return collection.results([suite], names)[0]?.measures ?? [];
  }
});

/** The same place, whose driver waits so many milliseconds before it makes a snapshot. */
function slowed(place: Place, milliseconds: number): Place {
  const driver: StorageDriver = Object.create(place.driver, {
    create: {
      value: (...args: Parameters<StorageDriver["create"]>) => {
        const end = performance.now() + milliseconds;
        while (performance.now() < end);
        place.driver.create(...args);
      },
    },
  });
  return { ...place, name: "slowed", driver };
}

/** Seconds by which the second place takes longer than the first. */
function differenceOf(measure: MeasureResults | undefined): number {
  const [first, second] = measure?.places ?? [];
  return (second?.summary.median ?? Number.NaN) - (first?.summary.median ?? Number.NaN);
}
