/** One thing that `tsimg doctor` looked at. */
export interface Finding {
  readonly area: "driver" | "kernel" | "space" | "leftover";
  readonly name: string;
  /** `note`: works, or harms nothing, but somebody should know. */
  readonly state: "ok" | "missing" | "note";
  /** What was probed, and what came out. */
  readonly detail: string;
  /** What to do about it. */
  readonly cure?: string;
}

/** What an error says, in one line. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return `${error.message}${cause}`.replaceAll("\n", " ");
}
