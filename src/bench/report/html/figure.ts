import { escapeHtml } from "./escape-html.ts";

/** A chart drawn twice: for a screen, and for a telephone. */
export interface Figure {
  /** What it shows, for who can't see it. */
  readonly label: string;
  readonly wide: string;
  readonly narrow: string;
  readonly caption: string;
}

export function figure({ label, wide, narrow, caption }: Figure): string {
  const drawn = (which: string, svg: string) =>
    `<div class="${which}" role="img" aria-label="${escapeHtml(label)}">${svg}</div>`;
  return `<figure>${drawn("wide", wide)}${drawn("narrow", narrow)}<figcaption>${escapeHtml(caption)}</figcaption></figure>`;
}
