import { withoutSnapshot } from "./dataset-name.ts";
import { hasDataset, tryZfs, zfsFailure } from "./zfs-command.ts";

/** What one command tells of every dataset and snapshot below a dataset. */
export interface DatasetFacts {
  /** Bytes that are this dataset's alone: not those of the snapshot that it was cloned from. */
  readonly bytes: number;
  /** The dataset whose snapshot it was cloned from. */
  readonly origin: string | undefined;
}

export type DatasetListing = ReadonlyMap<string, DatasetFacts>;

/**
 * How long an answer is believed, in ms: a sweep asks several times in a row, and other
 * processes make and destroy datasets too.
 */
const BELIEVED = 1000;

const PROPERTIES = "type,usedbydataset,origin";

/**
 * Asks once for what many want to know: a command costs 3 ms a dataset with zfs-fuse, however
 * little is asked of it.
 */
export class Listing {
  private readonly dataset: string;
  private known: DatasetListing | undefined;
  /** When the answer came, by `performance.now`. */
  private asked = 0;
  /** Whether one dataset was asked for by itself since. */
  private askedForOne = false;

  constructor(dataset: string) {
    this.dataset = dataset;
  }

  /** After every change of our own. */
  forget(): void {
    this.known = undefined;
    this.askedForOne = false;
  }

  /** Every dataset below ours, and ours; none when that isn't there. */
  get(): DatasetListing {
    if (this.known === undefined || performance.now() - this.asked > BELIEVED) {
      this.known = ask(["-r"], this.dataset);
      this.asked = performance.now();
    }
    return this.known;
  }

  /**
   * The facts of one dataset. The first question is for that one alone, as when a layer has
   * just been sealed among hundreds; who asks again will ask for all.
   */
  of(dataset: string): DatasetFacts | undefined {
    if (this.known !== undefined || this.askedForOne) return this.get().get(dataset);
    this.askedForOne = true;
    return ask([], dataset).get(dataset);
  }
}

/** None when the dataset isn't there. */
function ask(flags: readonly string[], dataset: string): DatasetListing {
  // `zfs list` of zfs-fuse knows no `-p`; `zfs get` has always printed exact numbers with it.
  const args = ["get", ...flags, "-Hp", "-o", "name,property,value", PROPERTIES, dataset];
  const outcome = tryZfs(args);
  if (outcome.status !== 0 && hasDataset(dataset)) throw zfsFailure(args, outcome);
  return parseFacts(outcome.status === 0 ? outcome.stdout : "");
}

/** @param text lines `name TAB property TAB value` */
export function parseFacts(text: string): DatasetListing {
  const values = new Map<string, Map<string, string>>();
  for (const line of text.split("\n")) {
    const [name = "", property = "", value = ""] = line.split("\t");
    if (name === "" || name.includes("@")) continue;
    const of = values.get(name) ?? new Map<string, string>();
    values.set(name, of.set(property, value));
  }
  const facts = new Map<string, DatasetFacts>();
  for (const [name, of] of values) {
    if (of.get("type") !== "filesystem") continue;
    const origin = of.get("origin") ?? "-";
    const bytes = Number(of.get("usedbydataset"));
    facts.set(name, {
      bytes: Number.isSafeInteger(bytes) ? bytes : 0,
      origin: origin === "-" || origin === "" ? undefined : withoutSnapshot(origin),
    });
  }
  return facts;
}
