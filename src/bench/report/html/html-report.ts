import type { Results } from "../../results/results.ts";
import { verdictTexts } from "../../verdict/verdict-text.ts";
import { machineFacts, methodNotes } from "../facts.ts";
import { placeNames } from "../place-names.ts";
import { escapeHtml } from "./escape-html.ts";
import { figure } from "./figure.ts";
import { heatMap } from "./heat-map.ts";
import { PAGE_STYLE } from "./page-style.ts";
import { Palette } from "./palette.ts";
import { suiteSection } from "./suite-section.ts";

/** One page that holds everything: it asks nobody for anything. */
export function htmlOf(results: Results): string {
  const palette = new Palette(placeNames(results));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>Storage drivers compared</title>
<link rel="icon" href="data:,">
<style>${PAGE_STYLE}</style>
</head>
<body>
<main>
<h1>Storage drivers compared</h1>
<p class="faint">${escapeHtml(subtitle(results))}</p>
${verdicts(results)}
${legend(palette)}
${overview(results, palette)}
${results.suites.map((suite) => suiteSection(suite, palette)).join("\n")}
<h2>How it was measured</h2>
<ul class="faint">${methodNotes(results).map(item).join("")}</ul>
<h2>The machine</h2>
<dl>${machineFacts(results)
    .map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`)
    .join("")}</dl>
</main>
</body>
</html>
`;
}

function subtitle({ tsimg, started, machine, complete }: Results): string {
  const when = started.slice(0, 16).replace("T", " ");
  const cut = complete ? "" : " · interrupted";
  return `tsimg ${tsimg} · ${when} UTC · ${machine.processors} · Linux ${machine.kernel}${cut}`;
}

function verdicts(results: Results): string {
  const texts = verdictTexts(results);
  if (texts.length === 0) return "";
  const cards = texts.map(
    ({ title, answer, reasons }) =>
      `<li><span class="faint">${escapeHtml(title)}</span><strong>${escapeHtml(answer)}</strong><ul>${reasons.map(item).join("")}</ul></li>`,
  );
  return `<ul class="verdicts">${cards.join("\n")}</ul>`;
}

function legend(palette: Palette): string {
  const entries = palette.names.map(
    (name) => `<li><i style="background:${palette.colour(name)}"></i>${escapeHtml(name)}</li>`,
  );
  return `<ul class="legend">${entries.join("")}</ul>`;
}

function overview(results: Results, palette: Palette): string {
  const [wide, narrow] = [heatMap(results, palette, 920), heatMap(results, palette, 358)];
  if (wide === undefined || narrow === undefined) return "";
  return figure({
    label: "drivers against workloads, as multiples of the best",
    wide,
    narrow,
    caption:
      "How many times as much each driver takes as the best one of its row, by medians. The redder, the more; fully red from a hundred times on.",
  });
}

function item(text: string): string {
  return `<li>${escapeHtml(text)}</li>`;
}
