import { jsonText } from "./escape-control.ts";
import { formatTable } from "./table.ts";
import { evaluate } from "./template/evaluate.ts";
import { fieldPaths } from "./template/field-paths.ts";
import { parseTemplate } from "./template/parse.ts";
import { type Node, type Template, unknownField } from "./template/syntax.ts";

/** What a listing can show: said once by each command that lists. */
export interface Listing<Field extends string> {
  /** Docker's field names, each with the title that a table shows above it. */
  readonly titles: Readonly<Record<Field, string>>;
  /** Template of the table that is shown unless another is asked for: cells between tabs. */
  readonly table: string;
  /** Template of a line of `--quiet`. */
  readonly quiet?: string;
  /** Members of rows that templates may call, as in `{{.Label "name"}}`. */
  readonly methods?: readonly string[];
}

export interface FormatFlags {
  /** `table`, `json`, `table TEMPLATE` or `TEMPLATE`. */
  readonly format?: string | undefined;
  /** Only counts without a template of its own, as with docker. */
  readonly quiet?: boolean | undefined;
}

type Row<Field extends string> = Readonly<Record<Field, unknown>>;

/**
 * The text of a listing, each line ended. Whether IDs and the like are shortened is decided
 * where rows are made.
 *
 * @throws TsimgError ERR_USAGE for a template that isn't understood or names an unknown field
 */
export function renderRows<Field extends string>(
  listing: Listing<Field>,
  rows: readonly Row<Field>[],
  { format = "table", quiet = false }: FormatFlags,
): string {
  const wanted = format.trim();
  if (wanted === "json") return lines(rows.map((row) => jsonText(row)));
  const custom = /^table\s+(\S.*)$/s.exec(wanted)?.[1];
  if (wanted === "table" || wanted === "") {
    if (quiet) return renderLines(parseTemplate(listing.quiet ?? "{{.ID}}"), rows);
    return renderTable(listing, parseTemplate(listing.table), rows);
  }
  const template = parseTemplate(custom ?? wanted);
  checkFields(template, Object.keys(listing.titles), listing.methods ?? []);
  return custom === undefined ? renderLines(template, rows) : renderTable(listing, template, rows);
}

/** As {@link renderObjects}, of `inspect`: with `json`, as without a format, they are an array. */
export function renderInspected(objects: readonly object[], format: string | undefined): string {
  return format?.trim() === "json" ? `${jsonText(objects)}\n` : renderObjects(objects, format);
}

/**
 * The text of `info` and `version`: without a format a JSON array, with `json` one
 * object a line, else the template's text for each.
 *
 * @throws TsimgError ERR_USAGE as {@link renderRows}
 */
export function renderObjects(objects: readonly object[], format: string | undefined): string {
  const wanted = format?.trim() ?? "";
  if (wanted === "") return `${jsonText(objects, 4)}\n`;
  if (wanted === "json") return lines(objects.map((object) => jsonText(object)));
  return renderLines(parseTemplate(wanted), objects);
}

/** A row of which templates may ask for a label: `{{.Label "name"}}`. JSON doesn't show that. */
export function withLabels<T extends object>(row: T, labels: Readonly<Record<string, string>>): T {
  const value = (name: unknown) => {
    return typeof name === "string" && Object.hasOwn(labels, name) ? labels[name] : "";
  };
  return Object.defineProperty(row, LABEL, { value });
}

/** The name of that, for `Listing.methods`. */
export const LABEL = "Label";

function renderLines(template: Template, values: readonly unknown[]): string {
  return lines(values.map((value) => evaluate(template, value)));
}

function renderTable<Field extends string>(
  { titles }: Listing<Field>,
  template: Template,
  rows: readonly Row<Field>[],
): string {
  const cells = splitAtTabs(template);
  const columns = cells.map((cell) => ({ title: titleOf(cell, titles) }));
  return formatTable(
    columns,
    rows.map((row) => cells.map((cell) => evaluate(cell, row))),
  );
}

/** One template a cell. */
function splitAtTabs({ source, nodes }: Template): readonly Template[] {
  const cells: Node[][] = [[]];
  for (const node of nodes) {
    if (node.kind !== "text") {
      cells.at(-1)?.push(node);
      continue;
    }
    for (const [at, text] of node.text.split("\t").entries()) {
      if (at > 0) cells.push([]);
      if (text !== "") cells.at(-1)?.push({ kind: "text", text });
    }
  }
  return cells.map((cell) => ({ source, nodes: cell }));
}

/** A cell's template with titles in place of its fields, whatever is done to them. */
function titleOf(cell: Template, titles: Readonly<Record<string, string>>): string {
  return cell.nodes
    .map((node) => {
      if (node.kind === "text") return node.text;
      const [path = []] = fieldPaths({ nodes: [node] });
      const [name] = path;
      if (name === undefined) return "";
      return path.length > 1 ? path.slice(-1).join().toUpperCase() : (titles[name] ?? "");
    })
    .join("");
}

/** Found out before there is a row, so that a script's mistake shows with an empty store too. */
function checkFields(
  template: Template,
  known: readonly string[],
  methods: readonly string[],
): void {
  for (const path of fieldPaths(template)) {
    const [name] = path;
    if (name !== undefined && !known.includes(name) && !methods.includes(name))
      throw unknownField([name], known, template.source);
  }
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}
