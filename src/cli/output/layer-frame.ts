import { type LayerView, layerLine } from "./layer-line.ts";

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

type Standing = "in progress" | "done" | "waiting";

/** Which layers are shown first where there isn't room for all. */
const PRECEDENCE: readonly Standing[] = ["in progress", "waiting", "done"];

/** What the summary counts, in this order. */
const SUMMARY: readonly Standing[] = ["done", "in progress", "waiting"];

/**
 * The lines that show `layers`, in their order: at most `rows - 1`, since the cursor rests
 * below them, each at most `columns - 1` wide. Layers without a line are counted in the last.
 */
export function layerFrame(layers: readonly LayerView[], size: TerminalSize): readonly string[] {
  const room = Math.max(0, size.rows - 1);
  if (layers.length <= room) return layers.map((layer) => layerLine(layer, size.columns));
  if (room === 0) return [];
  const shown = new Set(byPrecedence(layers).slice(0, room - 1));
  const lines = layers.filter((layer) => shown.has(layer));
  const others = layers.filter((layer) => !shown.has(layer));
  const summary = `... ${others.length} more: ${countStandings(others)}`;
  return [
    ...lines.map((layer) => layerLine(layer, size.columns)),
    summary.slice(0, Math.max(0, size.columns - 1)),
  ];
}

function byPrecedence(layers: readonly LayerView[]): readonly LayerView[] {
  return PRECEDENCE.flatMap((standing) => {
    const those = layers.filter((layer) => standingOf(layer) === standing);
    // Of what is done, the layers next to the active ones.
    return standing === "done" ? those.reverse() : those;
  });
}

function countStandings(layers: readonly LayerView[]): string {
  return SUMMARY.map((standing) => {
    const count = layers.filter((layer) => standingOf(layer) === standing).length;
    return count === 0 ? "" : `${count} ${standing}`;
  })
    .filter((part) => part !== "")
    .join(", ");
}

function standingOf({ phase }: LayerView): Standing {
  if (phase === "done" || phase === "exists") return "done";
  return phase === "waiting" ? "waiting" : "in progress";
}
