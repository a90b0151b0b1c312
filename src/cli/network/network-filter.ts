import { TsimgError } from "../../sys/error.ts";

export interface FilteredNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  /** Not made by the user. */
  readonly builtin: boolean;
  readonly used: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

type Test = (network: FilteredNetwork, value: string) => boolean;

const TESTS: Readonly<Record<string, Test>> = {
  name: ({ name }, value) => name.includes(value),
  id: ({ id }, value) => id.startsWith(value),
  driver: ({ driver }, value) => driver === value,
  scope: (_network, value) => value === "local",
  type: ({ builtin }, value) => (value === "builtin") === builtin,
  dangling: ({ used, builtin }, value) => (!used && !builtin) === (value === "true"),
  label: ({ labels }, value) => {
    const equals = value.indexOf("=");
    if (equals < 0) return Object.hasOwn(labels, value);
    return labels[value.slice(0, equals)] === value.slice(equals + 1);
  },
};

/** What a filter may be set to, where not everything makes sense. */
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  type: ["builtin", "custom"],
  dangling: ["true", "false"],
};

/**
 * Reads `--filter KEY=VALUE` flags as docker has them: one of the values of each key, and all
 * of the labels.
 *
 * @throws TsimgError ERR_USAGE
 */
export function networkFilter(texts: readonly string[]): (network: FilteredNetwork) => boolean {
  const given = texts.map(parse);
  const byKey = [...Map.groupBy(given, ({ key }) => key)];
  return (network) =>
    byKey.every(([key, filters]) => {
      const holds = ({ test, value }: (typeof filters)[number]) => test(network, value);
      return key === "label" ? filters.every(holds) : filters.some(holds);
    });
}

function parse(text: string): {
  readonly key: string;
  readonly value: string;
  readonly test: Test;
} {
  const equals = text.indexOf("=");
  const key = text.slice(0, Math.max(equals, 0));
  const value = text.slice(equals + 1);
  const test = Object.hasOwn(TESTS, key) ? TESTS[key] : undefined;
  if (test === undefined)
    throw new TsimgError("ERR_USAGE", `invalid filter "${text.slice(0, 64)}"`, {
      hint: `write key=value, the key one of ${Object.keys(TESTS).join(", ")}`,
    });
  if (CHOICES[key]?.includes(value) === false)
    throw new TsimgError("ERR_USAGE", `invalid value "${value.slice(0, 64)}" of filter ${key}`, {
      hint: `it is ${CHOICES[key].join(" or ")}`,
    });
  return { key, value, test };
}
