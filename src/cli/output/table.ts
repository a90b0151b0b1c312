import { escapeControl } from "./escape-control.ts";

export interface Column {
  readonly title: string;
  /** Numbers that are compared stand at the right. */
  readonly right?: boolean;
}

const GAP = "   ";

/**
 * A table as docker prints it: titles, then one line a row, no space at the ends of lines.
 * Control characters in cells are shown, not obeyed.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const titles = columns.map((column) => column.title);
  const lines = [titles, ...rows].map((row) =>
    columns.map((_, at) => escapeControl(row[at] ?? "")),
  );
  const widths = columns.map((_, at) =>
    lines.reduce((most, line) => Math.max(most, textWidth(line[at] ?? "")), 0),
  );
  return lines
    .map((line) => {
      const cells = columns.map((column, at) => pad(line[at] ?? "", widths[at] ?? 0, column.right));
      return `${cells.join(GAP).trimEnd()}\n`;
    })
    .join("");
}

function pad(cell: string, width: number, right: boolean | undefined): string {
  const space = " ".repeat(width - textWidth(cell));
  return right === true ? space + cell : cell + space;
}

/** Characters, as Go's tabwriter counts: wide ones shift a line's end, nothing else. */
function textWidth(text: string): number {
  return [...text].length;
}
