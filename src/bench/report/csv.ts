import type { Results } from "../results/results.ts";

const COLUMNS = "suite,measure,axis,parameter,unit,driver,round,repetition,value";

/** Every single figure on a line of its own. @see RFC 4180 */
export function csvOf({ suites }: Results): string {
  const lines = suites.flatMap((suite) =>
    suite.measures.flatMap(({ name, parameter, unit, places }) =>
      places.flatMap(({ place, samples }) =>
        samples.flatMap(({ round, values }) =>
          values.map((value, repetition) =>
            [
              ...[suite.name, name, parameter?.axis ?? "", parameter?.value ?? "", unit, place],
              ...[round, repetition + 1, value],
            ]
              .map(quoted)
              .join(","),
          ),
        ),
      ),
    ),
  );
  return `${[COLUMNS, ...lines].join("\r\n")}\r\n`;
}

function quoted(field: string | number): string {
  const text = String(field);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
