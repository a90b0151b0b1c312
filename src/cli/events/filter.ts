import type { Event } from "../../store/events.ts";
import { TsimgError } from "../../sys/error.ts";

type Test = (event: Event, value: string) => boolean;

const TESTS: Readonly<Record<string, Test>> = {
  type: ({ type }, value) => type === value,
  // `exec_start` is any of `exec_start: ls -l`.
  event: ({ action }, value) => action === value || action.startsWith(`${value}: `),
  container: (event, value) => event.type === "container" && isNamed(event, value),
  network: (event, value) => event.type === "network" && isNamed(event, value),
  volume: (event, value) => event.type === "volume" && isNamed(event, value),
  image: (event, value) => imagesOf(event).some((name) => name === value || bare(name) === value),
  label: ({ attributes }, value) => {
    const equals = value.indexOf("=");
    if (equals < 0) return Object.hasOwn(attributes, value);
    const name = value.slice(0, equals);
    return Object.hasOwn(attributes, name) && attributes[name] === value.slice(equals + 1);
  },
  // There is no other.
  scope: (_, value) => value === "local",
};

export const FILTER_NAMES = Object.keys(TESTS);

/**
 * Reads `--filter NAME=VALUE` flags as docker has them: one of the values of each name, and
 * all of the labels.
 *
 * @throws TsimgError ERR_USAGE
 */
export function eventFilter(filters: readonly string[]): (event: Event) => boolean {
  const groups = new Map<string, string[]>();
  for (const filter of filters) {
    const equals = filter.indexOf("=");
    const name = filter.slice(0, Math.max(equals, 0));
    if (!Object.hasOwn(TESTS, name))
      throw new TsimgError("ERR_USAGE", `invalid filter "${filter.slice(0, 64)}"`, {
        hint: `write name=value; names: ${FILTER_NAMES.join(", ")}`,
      });
    groups.set(name, [...(groups.get(name) ?? []), filter.slice(equals + 1)]);
  }
  return (event) =>
    [...groups].every(([name, values]) => {
      const fits = (value: string) => TESTS[name]?.(event, value) === true;
      return name === "label" ? values.every(fits) : values.some(fits);
    });
}

/** By the start of its ID or of its name. */
function isNamed({ actor, attributes }: Event, value: string): boolean {
  if (value === "") return false;
  return actor.startsWith(value) || (attributes["name"] ?? "").startsWith(value);
}

function imagesOf({ type, actor, attributes }: Event): readonly string[] {
  if (type === "image") return [actor, attributes["name"] ?? ""];
  return type === "container" ? [attributes["image"] ?? ""] : [];
}

/** Without its tag. */
function bare(name: string): string {
  return name.replace(/:[\w.-]+$/, "");
}
