import { TsimgError } from "../sys/error.ts";

/** What filters of `ps` look at. */
export interface FilteredContainer {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** As in the column STATE. */
  readonly status: string;
  /** Undefined before its first end. */
  readonly exitCode: number | undefined;
  /** RFC 3339. */
  readonly created: string;
  /** Digest of the image's manifest. */
  readonly manifest: string;
  /** Names and IDs of its networks. */
  readonly networks: readonly string[];
  /** Names or sources of its mounts, and where they are. */
  readonly volumes: readonly string[];
  /** Published ports of the container, as `80/tcp`. */
  readonly published: readonly string[];
  /** Those, and the ones that it says it listens on. */
  readonly exposed: readonly string[];
  /** `none` without a check. */
  readonly health: string;
}

/** What the values of some filters mean. */
export interface FilterLookup {
  /** Digests of the manifests of an image, by name or ID, and of all that are built upon it. */
  readonly manifestsOf: (image: string) => readonly string[];
  /** When a container was made. @throws TsimgError ERR_NO_SUCH_CONTAINER */
  readonly createdOf: (container: string) => string;
}

type Test = (container: FilteredContainer) => boolean;
type MakeTest = (value: string, lookup: FilterLookup) => Test;

const STATUSES = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];
const HEALTHS = ["starting", "healthy", "unhealthy", "none"];

const TESTS: Readonly<Record<string, MakeTest>> = {
  id: (value) => (it) => it.id.startsWith(value),
  name: (value) => {
    const pattern = patternOf(value);
    return ({ name }) => pattern.test(name) || pattern.test(`/${name}`);
  },
  label: (value) => {
    const equals = value.indexOf("=");
    if (equals < 0) return ({ labels }) => Object.hasOwn(labels, value);
    const name = value.slice(0, equals);
    return ({ labels }) => Object.hasOwn(labels, name) && labels[name] === value.slice(equals + 1);
  },
  status: (value) => {
    choose("status", value, STATUSES);
    return ({ status }) => status === value;
  },
  exited: (value) => {
    const code = Number(value);
    if (!/^\d{1,3}$/.test(value)) throw invalid("exited", value, "it is an exit status");
    return ({ status, exitCode }) => status === "exited" && exitCode === code;
  },
  ancestor: (value, { manifestsOf }) => {
    const wanted = new Set(manifestsOf(value));
    return ({ manifest }) => wanted.has(manifest);
  },
  network: (value) => (it) => it.networks.some((network) => namedBy(network, value)),
  volume: (value) => (it) => it.volumes.includes(value),
  publish: (value) => portTest("publish", value, "published"),
  expose: (value) => portTest("expose", value, "exposed"),
  "is-task": (value) => {
    choose("is-task", value, ["true", "false"]);
    // There is no swarm that would give any.
    return () => value === "false";
  },
  health: (value) => {
    choose("health", value, HEALTHS);
    return ({ health }) => health === value;
  },
  before: (value, { createdOf }) => {
    const time = createdOf(value);
    return ({ created }) => created < time;
  },
  since: (value, { createdOf }) => {
    const time = createdOf(value);
    return ({ created }) => created > time;
  },
};

export const FILTER_NAMES = Object.keys(TESTS);

/**
 * Reads `--filter NAME=VALUE` flags as docker has them: one of the values of each name, and
 * all of the labels.
 *
 * @throws TsimgError ERR_USAGE; ERR_NO_SUCH_CONTAINER for `before` and `since`
 */
export function containerFilter(texts: readonly string[], lookup: FilterLookup): Test {
  const given = texts.map((text) => parse(text, lookup));
  const byName = [...Map.groupBy(given, ({ name }) => name)];
  return (container) =>
    byName.every(([name, tests]) => {
      const holds = ({ test }: { readonly test: Test }) => test(container);
      return name === "label" ? tests.every(holds) : tests.some(holds);
    });
}

/** Whether the filters speak of containers that don't run, too. */
export function looksAtAll(texts: readonly string[]): boolean {
  return texts.some((text) => text.startsWith("status="));
}

function parse(text: string, lookup: FilterLookup): { readonly name: string; readonly test: Test } {
  const equals = text.indexOf("=");
  const name = text.slice(0, Math.max(equals, 0));
  const make = Object.hasOwn(TESTS, name) ? TESTS[name] : undefined;
  if (make !== undefined) return { name, test: make(text.slice(equals + 1), lookup) };
  throw new TsimgError("ERR_USAGE", `invalid filter "${text.slice(0, 64)}"`, {
    hint: `write name=value; names: ${FILTER_NAMES.join(", ")}`,
  });
}

/** An ID may be given by its start. */
function namedBy(nameOrId: string, value: string): boolean {
  return nameOrId === value || (/^[0-9a-f]{64}$/.test(nameOrId) && nameOrId.startsWith(value));
}

function portTest(filter: string, value: string, ports: "published" | "exposed"): Test {
  const [, first = "", last = first, protocol = "tcp"] =
    /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(value) ?? [];
  if (first === "")
    throw invalid(filter, value, "write a port or a range, as in 80, 8000-8010 or 53/udp");
  return (container) =>
    container[ports].some((text) => {
      const [port = "", kind] = text.split("/", 2);
      return kind === protocol && Number(first) <= Number(port) && Number(port) <= Number(last);
    });
}

function patternOf(value: string): RegExp {
  try {
    return new RegExp(value);
  } catch {
    throw invalid("name", value, "it is a name, a part of one, or a regular expression");
  }
}

function choose(filter: string, value: string, known: readonly string[]): void {
  if (!known.includes(value)) throw invalid(filter, value, `it is one of ${known.join(", ")}`);
}

function invalid(filter: string, value: string, hint: string): TsimgError {
  const message = `invalid value "${value.slice(0, 64)}" of filter ${filter}`;
  return new TsimgError("ERR_USAGE", message, { hint });
}
