import type { BenchEvent } from "../engine/event.ts";
import type { Measure, Sample } from "../measure.ts";
import { measureKey } from "../measure.ts";
import type { Suite } from "../suite.ts";
import { assess } from "./assess.ts";
import type { SuiteNote, SuiteResults } from "./results.ts";

interface Collected {
  readonly measures: Map<string, { readonly measure: Measure; readonly samples: Sample[] }>;
  readonly notes: SuiteNote[];
}

/** Collects what a bench tells, from the first event on: it may end at any moment. */
export class Collection {
  private readonly suites = new Map<string, Collected>();

  add(event: BenchEvent): void {
    if (event.kind === "progress") return;
    const { measures, notes } = this.suite(event.suite);
    if (event.kind === "note") {
      const { place, text, out } = event;
      notes.push({ place, text: out ? `left out: ${text}` : text });
      return;
    }
    const key = measureKey(event.measure);
    const known = measures.get(key) ?? { measure: event.measure, samples: [] };
    known.samples.push(event.sample);
    measures.set(key, known);
  }

  get hasSamples(): boolean {
    return [...this.suites.values()].some(({ measures }) => measures.size > 0);
  }

  /** @param places the names in their order; those with an option stand behind their own */
  results(suites: readonly Suite[], places: readonly string[]): readonly SuiteResults[] {
    return suites.flatMap(({ name, question, method, source }) => {
      const collected = this.suites.get(name);
      if (collected === undefined) return [];
      const { measures, notes } = collected;
      const order = withVariants(places, [...measures.values()]);
      return {
        ...{ name, question, method, source, notes },
        measures: [...measures.values()].map((each) => assess(each.measure, each.samples, order)),
      };
    });
  }

  private suite(name: string): Collected {
    const known = this.suites.get(name);
    if (known !== undefined) return known;
    const fresh: Collected = { measures: new Map(), notes: [] };
    this.suites.set(name, fresh);
    return fresh;
  }
}

function withVariants(
  places: readonly string[],
  measures: readonly { readonly samples: readonly Sample[] }[],
): readonly string[] {
  const seen = new Set(measures.flatMap(({ samples }) => samples.map(({ place }) => place)));
  const variants = [...seen].filter((name) => !places.includes(name));
  return places.flatMap((name) => [name, ...variants.filter((it) => it.startsWith(`${name}+`))]);
}
