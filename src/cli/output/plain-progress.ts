import type { LayerEvent } from "../../image/events.ts";
import { escapeControl } from "./escape-control.ts";
import type { PullProgress } from "./progress.ts";
import { shortId } from "./shorten.ts";

const STEPS = {
  begun: "Pulling fs layer",
  fetched: "Download complete",
  done: "Pull complete",
  exists: "Already exists",
} as const;

type Step = keyof typeof STEPS;

interface LayerState {
  readonly said: Set<Step>;
  downloads: boolean;
}

/** One line for each step of a layer, as docker prints when it is piped. */
export class PlainProgress implements PullProgress {
  private readonly stream: { write(text: string): boolean };
  private readonly states = new Map<string, LayerState>();

  constructor(stream: { write(text: string): boolean }) {
    this.stream = stream;
  }

  layers(): void {}

  event(event: LayerEvent): void {
    const state = this.states.get(event.digest) ?? { said: new Set(), downloads: false };
    this.states.set(event.digest, state);
    if (event.phase === "downloading") state.downloads = true;
    for (const step of stepsOf(event, state.downloads)) {
      if (state.said.has(step)) continue;
      state.said.add(step);
      this.line(`${shortId(event.digest)}: ${STEPS[step]}`);
    }
  }

  line(text: string): void {
    this.stream.write(`${escapeControl(text)}\n`);
  }

  close(): void {}
}

/** Every step that a layer has behind it when `event` happens. */
function stepsOf({ phase, current, total }: LayerEvent, downloads: boolean): readonly Step[] {
  if (phase === "exists") return ["exists"];
  const fetched = downloads && (phase === "stitching" || phase === "done" || current >= total);
  return [
    "begun",
    ...(fetched ? ["fetched" as const] : []),
    ...(phase === "done" ? ["done" as const] : []),
  ];
}
