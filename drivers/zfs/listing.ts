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

  constructor(dataset: string) {
    this.dataset = dataset;
  }

  /** After every change of our own. */
  forget(): void {
    this.known = undefined;
  }

  /** Every dataset below ours, and ours; none when that isn't there. */
  get(): DatasetListing {
    if (this.known !== undefined && performance.now() - this.asked < BELIEVED) return this.known;
    // `zfs list` of zfs-fuse knows no `-p`; `zfs get` has always printed exact numbers with it.
    const args = ["get", "-rHp", "-o", "name,property,value", PROPERTIES, this.dataset];
    const outcome = tryZfs(args);
    if (outcome.status !== 0 && hasDataset(this.dataset)) throw zfsFailure(args, outcome);
    this.known = parseFacts(outcome.status === 0 ? outcome.stdout : "");
    this.asked = performance.now();
    return this.known;
  }
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
