import { describe, expect, it } from "vitest";
import { csvOf } from "../../../src/bench/report/csv.ts";
import { formatRatio, formatValue } from "../../../src/bench/report/format-value.ts";
import { htmlOf } from "../../../src/bench/report/html/html-report.ts";
import { markdownOf } from "../../../src/bench/report/markdown.ts";
import { tableOf } from "../../../src/bench/report/table.ts";
import { verdictTexts } from "../../../src/bench/verdict/verdict-text.ts";
import { DRIVERS, syntheticResults } from "./support/synthetic-results.ts";

const results = syntheticResults();

describe("the table", () => {
  it("fits 100 columns, with many drivers and long names, too", () => {
    const names = [...DRIVERS, "devicemapper", "overlay2 #2", "overlay2+metacopy"];
    for (const drivers of [DRIVERS, names])
      for (const line of tableOf(syntheticResults({ drivers })).split("\n"))
        if (!line.includes(":")) expect(line.length).toBeLessThanOrEqual(100);
  });

  it("marks the best of each row, and all that can't be told from it", () => {
    const equal = tableOf(syntheticResults({ drivers: ["a", "b"], truth: () => 1 }));
    expect(equal).toMatch(/prepare a snapshot +1.* s[ ~]\* +1.* s [01]\.\d\d×[ ~]\*/);
    const apart = tableOf(
      syntheticResults({ drivers: ["a", "b"], truth: (_, driver) => (driver === "a" ? 1 : 2) }),
    );
    expect(apart).toMatch(
      /prepare a snapshot +1.* s[ ~]\* +(2|1\.9\d*|2\.\d+) s [12]\.\d\d×[ ~]?\n/,
    );
    // More is better here.
    expect(apart).toMatch(/throughput, 1 at once +[\d.]+\/s[ ~]? +[\d.]+\/s 2?[\d.]+×[ ~]\*/);
  });
});

it("the CSV has every figure once", () => {
  const [head, ...lines] = csvOf(results).trimEnd().split("\r\n");
  expect(head).toBe("suite,measure,axis,parameter,unit,driver,round,repetition,value");
  const figures = results.suites.flatMap(({ measures }) =>
    measures.flatMap(({ places }) =>
      places.flatMap(({ samples }) => samples.flatMap((it) => it.values)),
    ),
  );
  expect(lines).toHaveLength(figures.length);
  expect(lines[0]).toMatch(/^lifecycle,prepare a snapshot,,,seconds,overlay2,1,1,0\.00\d+$/);
  expect(lines.some((line) => line.includes('"append 1 B, first",file size,4096,'))).toBe(true);
});

describe("the page", () => {
  const page = htmlOf(results);

  it("asks nobody for anything, and has no program in it", () => {
    expect(page.replaceAll("http://www.w3.org/", "")).not.toMatch(
      /https?:|src=|@import|url\((?!#)/,
    );
    expect(page).not.toMatch(/<script|\son\w+=/);
  });

  it("shows names as text, whatever is in them", () => {
    expect(page).toContain("no &lt;such&gt; device &amp; no module");
    const hostile = htmlOf(syntheticResults({ drivers: ["<b>a", 'b"&'] }));
    expect(hostile).not.toMatch(/<b>a/);
  });

  it("draws each chart for a screen and for a telephone", () => {
    const charts = page.match(/<svg /g) ?? [];
    expect(charts.length).toBe(2 * (page.match(/<figure>/g) ?? []).length);
    expect(charts.length).toBeGreaterThanOrEqual(10);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });
});

it("the markdown names the machine, the method and every suite", () => {
  const text = markdownOf(results);
  for (const part of ["2 × Some Processor", "Wilcoxon", "## copyup", "| overlay2 |", "vfs: a note"])
    expect(text).toContain(part);
});

describe("verdicts", () => {
  it("name the best, and what they rest on", () => {
    const disk = verdictTexts(results).find(({ title }) => title === "least disk");
    expect(disk?.answer).toMatch(/^overlay2; then erofs 1\.[23]\d×, btrfs 1\.[56]\d×/);
    expect(disk?.reasons[0]).toMatch(/^density, the image on disk: overlay2 9\d\d KiB, erofs 1\.2/);
  });

  it("say so when nothing can be told apart", () => {
    const equal = syntheticResults({ drivers: ["a", "b"], truth: () => 1 });
    const answers = verdictTexts(equal).map(({ answer }) => answer);
    expect(answers).toHaveLength(2);
    for (const answer of answers) expect(answer).toMatch(/^can't tell apart: (a, b|b, a)$/);
  });
});

it("with fewer than three rounds nobody is put before anybody", () => {
  const few = syntheticResults({ rounds: 2 });
  expect(few.verdicts).toEqual([]);
  const places = few.suites.flatMap(({ measures }) => measures.flatMap((it) => it.places));
  expect(places.length).toBeGreaterThan(50);
  expect(places.filter(({ best }) => best)).toEqual([]);
});

it("figures have three digits and the unit that fits", () => {
  const seconds = [0, 1.5e-9, 9.996e-6, 0.000999, 0.0125, 0.9999, 12.345, 100].map((value) =>
    formatValue(value, "seconds"),
  );
  expect(seconds).toEqual([
    "0 s",
    "1.50 ns",
    "10.0 µs",
    "999 µs",
    "12.5 ms",
    "1.00 s",
    "12.3 s",
    "100 s",
  ]);
  expect([0, 1000, 1023.9, 1536, 2 ** 30].map((value) => formatValue(value, "bytes"))).toEqual([
    "0 B",
    "1000 B",
    "1.00 KiB",
    "1.50 KiB",
    "1 GiB",
  ]);
  expect([0.001234, 0.5, 1, 9.97, 123.4, 1e300].map(formatRatio)).toEqual([
    "0.001×",
    "0.50×",
    "1.00×",
    "10.0×",
    "123×",
    "–",
  ]);
});
