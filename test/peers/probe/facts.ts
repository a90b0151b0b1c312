import { readdirSync, readlinkSync } from "node:fs";

/** The table of interfaces, whose counters go on where they are the host's. */
const COUNTED = "network.devices";

function names(table: string): string {
  return table.replaceAll(/(?<=:) .*$/gm, "");
}

/** What the probe says: what is looked at, and what it saw. */
export type Facts = ReadonlyMap<string, string>;

/**
 * Numbers that no two containers share: who has which is told by another fact. And whether
 * users of a container's IDs happen to have keys.
 */
const PASSING = /^(namespace\..*\.inode|file\.\/proc\/key-users)$/;

/**
 * The facts in a program's output, without those that differ between two runs of anything.
 *
 * @throws Error with the output when there are none
 */
export function parseFacts(output: string): Facts {
  const end = output.indexOf("\n}");
  try {
    const all = Object.entries(JSON.parse(output.slice(0, end + 2)) as Record<string, string>);
    const lasting = all.filter(([key]) => !PASSING.test(key));
    return new Map(lasting.map(([key, value]) => [key, key === COUNTED ? names(value) : value]));
  } catch (cause) {
    throw new Error(`the probe did not speak: ${output.slice(0, 400)}`, { cause });
  }
}

/** Arguments for the probe: this process's namespaces, as `TYPE=INODE`. */
export function hostNamespaces(): readonly string[] {
  const directory = "/proc/self/ns";
  return readdirSync(directory).map(
    (type) => `${type}=${/\d+/.exec(readlinkSync(`${directory}/${type}`))?.[0]}`,
  );
}

/** Where two runs part: a fact that one of them lacks is "(none)". */
export interface Contrast {
  readonly fact: string;
  readonly ours: string;
  readonly theirs: string;
}

export function contrasts(ours: Facts, theirs: Facts): readonly Contrast[] {
  const keys = new Set([...ours.keys(), ...theirs.keys()]);
  return [...keys]
    .toSorted()
    .map((fact) => ({
      fact,
      ours: ours.get(fact) ?? "(none)",
      theirs: theirs.get(fact) ?? "(none)",
    }))
    .filter((contrast) => contrast.ours !== contrast.theirs);
}
