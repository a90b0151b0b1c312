import { TsimgError } from "../../sys/error.ts";
import { parseMoment } from "../output/moment.ts";

export interface Prunable {
  readonly labels: Readonly<Record<string, string>>;
  /** RFC 3339; null where it isn't known. */
  readonly created: string | null;
}

type Test = (thing: Prunable) => boolean;

type Key = "until" | "label" | "label!";

const TESTS: Readonly<Record<Key, (value: string) => Test>> = {
  until: (value) => {
    const end = parseMoment(value, "--filter until", Date.now());
    return ({ created }) => created === null || Date.parse(created) <= end;
  },
  label: (value) => (thing) => hasLabel(thing, value),
  "label!": (value) => (thing) => !hasLabel(thing, value),
};

export const PRUNE_KEYS = Object.keys(TESTS) as readonly Key[];

/**
 * Reads the `--filter key=value` flags of a prune: all must fit.
 *
 * @throws TsimgError ERR_USAGE
 */
export function pruneFilter(texts: readonly string[]): Test {
  const tests = texts.map(parse);
  return (thing) => tests.every((fits) => fits(thing));
}

function parse(text: string): Test {
  const equals = text.indexOf("=");
  const key = PRUNE_KEYS.find((each) => each === text.slice(0, Math.max(equals, 0)));
  if (key !== undefined) return TESTS[key](text.slice(equals + 1));
  throw new TsimgError("ERR_USAGE", `invalid filter "${text.slice(0, 64)}"`, {
    hint: `write key=value, the key one of ${PRUNE_KEYS.join(", ")}`,
  });
}

function hasLabel({ labels }: Prunable, wanted: string): boolean {
  const equals = wanted.indexOf("=");
  const name = equals < 0 ? wanted : wanted.slice(0, equals);
  return Object.hasOwn(labels, name) && (equals < 0 || labels[name] === wanted.slice(equals + 1));
}
