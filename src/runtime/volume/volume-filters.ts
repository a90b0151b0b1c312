import { TsimgError } from "../../sys/error.ts";
import type { Volume } from "./volume.ts";

/** Whether a volume is wanted. @param isUsed whether a container has it, running or not */
export type VolumeFilter = (volume: Volume, isUsed: boolean) => boolean;

type Maker = (value: string) => VolumeFilter;

const FILTERS: Readonly<Record<string, Maker>> = {
  dangling: (value) => {
    const wanted = /^(1|t|true)$/i.test(value);
    if (!wanted && !/^(0|f|false)$/i.test(value)) throw badFilter(`dangling=${value}`);
    return (_, isUsed) => isUsed !== wanted;
  },
  driver: (value) => (volume) => volume.driver === value,
  name: (value) => (volume) => volume.name.includes(value),
  label: (value) => (volume) => hasLabel(volume, value),
};

/**
 * Reads `--filter key=value` flags. Of one key any value may fit, of several keys each must;
 * labels must all fit.
 *
 * @param allowed the keys that the command takes
 * @throws TsimgError ERR_USAGE
 */
export function parseVolumeFilters(
  texts: readonly string[],
  allowed: readonly string[],
): VolumeFilter {
  const groups = new Map<string, VolumeFilter[]>();
  for (const text of texts) {
    const equals = text.indexOf("=");
    const key = equals < 0 ? text : text.slice(0, equals);
    const make = allowed.includes(key) && equals >= 0 ? FILTERS[key] : undefined;
    if (make === undefined) throw badFilter(text, allowed);
    const filter = make(text.slice(equals + 1));
    const group = key.startsWith("label") ? text : key;
    groups.set(group, [...(groups.get(group) ?? []), filter]);
  }
  const all = [...groups.values()];
  return (volume, isUsed) => all.every((any) => any.some((filter) => filter(volume, isUsed)));
}

function hasLabel({ labels }: Volume, wanted: string): boolean {
  const equals = wanted.indexOf("=");
  const key = equals < 0 ? wanted : wanted.slice(0, equals);
  return Object.hasOwn(labels, key) && (equals < 0 || labels[key] === wanted.slice(equals + 1));
}

function badFilter(text: string, allowed?: readonly string[]): TsimgError {
  return new TsimgError("ERR_USAGE", `invalid filter '${text.slice(0, 64)}'`, {
    hint:
      allowed === undefined
        ? "write true or false"
        : `known: ${allowed.map((key) => `${key}=…`).join(", ")}`,
  });
}
