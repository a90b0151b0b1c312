import type { BenchRequest, FromBench } from "../process/request.ts";
import type { Suite } from "../suite.ts";
import { judgeAll } from "../verdict/judge.ts";
import { Collection } from "./collect.ts";
import { RESULTS_VERSION, type Results } from "./results.ts";

/** Makes the results of what a bench told, whenever they are asked for. */
export class ResultsMaker {
  private readonly version: string;
  private readonly request: BenchRequest;
  private readonly suites: readonly Suite[];
  private readonly started = new Date();
  private readonly collection = new Collection();
  private ready: Extract<FromBench, { kind: "ready" }> | undefined;
  private ended: Extract<FromBench, { kind: "ended" }> | undefined;

  /** @param version of tsimg */
  constructor(version: string, request: BenchRequest, suites: readonly Suite[]) {
    this.version = version;
    this.request = request;
    this.suites = suites;
  }

  add(message: FromBench): void {
    if (message.kind === "ready") this.ready = message;
    else if (message.kind === "ended") this.ended = message;
    else if (message.kind !== "making" && message.kind !== "failed") this.collection.add(message);
  }

  /** Whether the bench came as far as measuring. */
  get hasFigures(): boolean {
    return this.ready !== undefined && this.collection.hasSamples;
  }

  make(): Results {
    if (this.ready === undefined) throw new Error("nothing was measured");
    const { machine, places, absent } = this.ready;
    const { workload, budget, runs } = this.request;
    const names = places.map(({ name }) => name);
    const suites = this.collection.results(this.suites, names);
    return {
      format: "tsimg-bench",
      version: RESULTS_VERSION,
      started: this.started.toISOString(),
      ended: new Date().toISOString(),
      complete: this.ended?.complete === true,
      tsimg: this.version,
      options: { ...workload, budget: budget / 1000, runs: runs ?? null },
      machine: { ...machine, loadAfter: this.ended?.load ?? null },
      places,
      absent,
      suites,
      verdicts: judgeAll(suites),
    };
  }
}
