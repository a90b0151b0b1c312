import type { MeasureResults, PlaceResults } from "./results.ts";

/** What a measure has of a place; undefined when that was not measured. */
export function placeIn({ places }: MeasureResults, name: string): PlaceResults | undefined {
  return places.find(({ place }) => place === name);
}
