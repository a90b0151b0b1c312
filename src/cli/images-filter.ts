import { TsimgError } from "../sys/error.ts";
import { parseMoment } from "./output/moment.ts";

/** What filters of `images` look at: one line of the list. */
export interface FilteredImage {
  /** `<none>` for what it hasn't got. */
  readonly repository: string;
  readonly tag: string;
  /** RFC 3339; null where it isn't known. */
  readonly created: string | null;
  /** Read when they are first asked for. */
  readonly labels: () => Readonly<Record<string, string>>;
}

export interface ImageLookup {
  /** When an image was made. @throws TsimgError ERR_NO_SUCH_IMAGE */
  readonly createdOf: (image: string) => string | null;
}

type Test = (image: FilteredImage) => boolean;

const NONE = "<none>";

const TESTS: Readonly<Record<string, (value: string, lookup: ImageLookup) => Test>> = {
  dangling: (value) => {
    const wanted = /^(1|t|true)$/i.test(value);
    if (!wanted && !/^(0|f|false)$/i.test(value)) throw invalid(`dangling=${value}`);
    return ({ repository, tag }) => (repository === NONE && tag === NONE) === wanted;
  },
  label: (value) => {
    const equals = value.indexOf("=");
    const name = equals < 0 ? value : value.slice(0, equals);
    return ({ labels }) => {
      const all = labels();
      return Object.hasOwn(all, name) && (equals < 0 || all[name] === value.slice(equals + 1));
    };
  },
  before: (value, { createdOf }) => {
    const time = ageOf(createdOf(value));
    return ({ created }) => ageOf(created) < time;
  },
  since: (value, { createdOf }) => {
    const time = ageOf(createdOf(value));
    return ({ created }) => ageOf(created) > time;
  },
  until: (value) => {
    const time = parseMoment(value, "--filter until", Date.now());
    return ({ created }) => ageOf(created) <= time;
  },
  reference: (value) => {
    const pattern = globOf(value);
    return ({ repository, tag }) =>
      repository !== NONE && (pattern.test(repository) || pattern.test(`${repository}:${tag}`));
  },
};

export const IMAGE_FILTERS = Object.keys(TESTS);

/**
 * Reads `--filter NAME=VALUE` flags: one of the values of each name, and all of the labels.
 *
 * @throws TsimgError ERR_USAGE; ERR_NO_SUCH_IMAGE for `before` and `since`
 */
export function imageFilter(texts: readonly string[], lookup: ImageLookup): Test {
  const groups = new Map<string, Test[]>();
  for (const text of texts) {
    const equals = text.indexOf("=");
    const name = text.slice(0, Math.max(equals, 0));
    const make = Object.hasOwn(TESTS, name) ? TESTS[name] : undefined;
    if (make === undefined) throw invalid(text);
    const group = name === "label" ? text : name;
    const test = make(text.slice(equals + 1), lookup);
    groups.set(group, [...(groups.get(group) ?? []), test]);
  }
  return (image) => [...groups.values()].every((tests) => tests.some((fits) => fits(image)));
}

/** Milliseconds since 1970; what nobody knows the age of is old. */
function ageOf(created: string | null): number {
  const time = Date.parse(created ?? "");
  return Number.isNaN(time) ? Number.NEGATIVE_INFINITY : time;
}

/** Of a shell's patterns `*` and `?`, which stand for no slash. */
function globOf(pattern: string): RegExp {
  const parts = { "*": "[^/]*", "?": "[^/]" } as const;
  const text = pattern.replace(/[*?]|[^\w/]/g, (it) => {
    return it === "*" || it === "?" ? parts[it] : `\\${it}`;
  });
  return new RegExp(`^${text}$`);
}

function invalid(text: string): TsimgError {
  return new TsimgError("ERR_USAGE", `invalid filter "${text.slice(0, 64)}"`, {
    hint: `write name=value; names: ${IMAGE_FILTERS.join(", ")}`,
  });
}
