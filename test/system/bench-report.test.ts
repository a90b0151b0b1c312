import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { htmlOf } from "../../src/bench/report/html/html-report.ts";
import { missing } from "../peers/requirements.ts";
import { syntheticResults } from "../unit/bench/support/synthetic-results.ts";
import { Browser } from "./support/browser.ts";
import { type TemporaryDirectory, temporaryDirectory } from "./support/temporary.ts";

const absent = missing(["chromium"]);

describe.skipIf(absent !== undefined)(`report.html in a browser ${absent ?? ""}`, () => {
  let directory: TemporaryDirectory;
  let browser: Browser;
  beforeAll(async () => {
    directory = temporaryDirectory();
    writeFileSync(join(directory.path, "report.html"), htmlOf(syntheticResults()));
    browser = await Browser.start(directory.path);
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  for (const scheme of ["light", "dark"])
    for (const width of [390, 1280])
      it(`is drawn ${scheme} at ${width} pixels, asks nobody, complains of nothing`, async () => {
        const url = `file://${join(directory.path, "report.html")}`;
        const page = await browser.open(url, { width, scheme });
        expect(page.complaints).toEqual([]);
        expect(page.requests).toEqual([url]);
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(
          width,
        );
        const charts = await page.evaluate<readonly Chart[]>(CHARTS);
        expect(charts.length).toBeGreaterThanOrEqual(5);
        for (const { width: own, height, shapes, left } of charts) {
          expect(own).toBeGreaterThan(width === 390 ? 250 : 300);
          expect(height).toBeGreaterThan(60);
          expect(shapes).toBeGreaterThan(5);
          expect(left).toBeGreaterThanOrEqual(0);
        }
        const [paper, ink] = await page.evaluate<readonly string[]>(
          "['backgroundColor', 'color'].map((name) => getComputedStyle(document.body)[name])",
        );
        const [dark, light] = [paper, ink].toSorted((a, b) => brightness(a) - brightness(b));
        expect(paper).toBe(scheme === "dark" ? dark : light);
        expect(brightness(light) - brightness(dark)).toBeGreaterThan(500);
      });
});

interface Chart {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  /** Those that show: with a size, and of another colour than the page. */
  readonly shapes: number;
}

const CHARTS = `[...document.querySelectorAll("svg")]
  .map((svg) => {
    const box = svg.getBoundingClientRect();
    const shapes = [...svg.querySelectorAll("path, rect, text")].filter((each) => {
      const { width, height } = each.getBoundingClientRect();
      const style = getComputedStyle(each);
      const colours = [style.fill, style.stroke].filter((colour) => colour !== "none");
      return width + height > 2 && colours.length > 0;
    });
    return { width: box.width, height: box.height, left: box.left, shapes: shapes.length };
  })
  .filter(({ width }) => width > 0)`;

function brightness(colour: string | undefined): number {
  const parts = colour?.match(/\d+/g)?.slice(0, 3).map(Number) ?? [];
  return parts.reduce((sum, part) => sum + part, 0);
}
