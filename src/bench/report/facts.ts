import { RANDOM_SHARE } from "../content.ts";
import type { Results } from "../results/results.ts";
import { RELEVANT, SIGNIFICANT } from "../statistics/compare.ts";
import { NOISY } from "../statistics/summary.ts";
import { formatValue } from "./format-value.ts";

/** What was measured on, and with what: a name and a value each. */
export function machineFacts(results: Results): readonly (readonly [string, string])[] {
  const { machine, places, options, absent } = results;
  return [
    ["tsimg", results.tsimg],
    ["kernel", machine.kernel],
    ["processors", machine.processors],
    ["memory", formatValue(machine.memory, "bytes")],
    ["store on", `${machine.fileSystem}, ${machine.device}, mounted ${machine.mountOptions}`],
    ["load", `${loadText(machine.loadBefore)} before, ${loadText(machine.loadAfter)} after`],
    [
      "versions",
      Object.entries(machine.versions)
        .map((pair) => pair.join(" "))
        .join(", "),
    ],
    ["begun", results.started],
    [
      "asked for",
      [
        `${options.budget} s`,
        options.runs === null ? "as many rounds as fit" : `${options.runs} rounds`,
        `caches ${options.cache}`,
        `seed ${options.seed}`,
      ].join(", "),
    ],
    ...places.map(
      ({ name, backing, notes }) =>
        [
          name,
          [`${backing.fileSystem} (${backing.mountOptions}) in ${backing.device}`, ...notes].join(
            "; ",
          ),
        ] as const,
    ),
    ...absent.map(({ driver, reason }) => [driver, `left out: ${reason}`] as const),
  ];
}

/** What a reader must know before comparing two figures. */
export function methodNotes({ complete, options }: Results): readonly string[] {
  const percent = (share: number) => `${share * 100} %`;
  return [
    ...(complete ? [] : ["The bench was interrupted: these are the figures up to then."]),
    "Figures are medians over all rounds; ± is the median distance from it, p95 what 95 of 100 stay below, n the number of rounds.",
    `Drivers take turns in every round, so that what else the machine does hits all alike; each has a pool of its own in a sparse file on the same file system${options.cache === "cold" ? "; the machine's caches were dropped before every round" : ""}.`,
    `× is the ratio to the first driver, as the median of the rounds that both ran in. Two drivers count as different where a paired test says so with p < ${SIGNIFICANT} (Wilcoxon's signed-rank test from 8 rounds on, a t-test of the ratios' logarithms below that) and the ratio is more than ${percent(RELEVANT)} off; else they can't be told apart, and both may be marked best. Fewer than three rounds rank nobody.`,
    `~ marks rounds that vary by more than ${percent(NOISY)} (coefficient of variation).`,
    `Contents are generated from a seed, the same for every driver; ${percent(RANDOM_SHARE)} of each block can't be compressed.`,
    "Processor time is that of the process that measures, its children and a FUSE daemon; the kernel's own threads (loop devices, writeback) are not in it. Bytes written and read are the device's counts, writeback included.",
  ];
}

function loadText(load: number | null): string {
  return load === null ? "unknown" : load.toFixed(2);
}
