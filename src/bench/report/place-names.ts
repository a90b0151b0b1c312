import type { Results } from "../results/results.ts";

/** Every place that has figures, variants behind the place that they vary. */
export function placeNames({ places, suites }: Results): readonly string[] {
  const known = places.map(({ name }) => name);
  const seen = suites.flatMap(({ measures }) =>
    measures.flatMap((measure) => measure.places.map(({ place }) => place)),
  );
  const variants = [...new Set(seen)].filter((name) => !known.includes(name));
  return known.flatMap((name) => [name, ...variants.filter((it) => it.startsWith(`${name}+`))]);
}
