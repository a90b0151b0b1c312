import { escapeControl } from "../escape-control.ts";

/** Text that is fit to be shown as it is: what a template itself has, line feeds and all. */
export class Exact {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/**
 * Members that are maps with docker, of which any key may be asked for; the others are
 * structures, where an unknown member is a mistake.
 */
const MAPS: ReadonlySet<string> = new Set([
  ...["Annotations", "Attributes", "Containers", "Data", "DriverOpts", "ExposedPorts", "Labels"],
  ...["LogConfig.Config", "Metadata", "Networks", "Options", "PortBindings", "Ports", "StorageOpt"],
  ...["Sysctls", "Tmpfs", "Volumes"],
]);

/** @param path of the member */
export function isMap(path: readonly string[]): boolean {
  return MAPS.has(path.at(-1) ?? "") || MAPS.has(path.slice(-2).join("."));
}

/** A value as Go prints it: `[a b]`, `map[key:value]`, `<no value>`. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return "<no value>";
  if (value instanceof Exact) return value.text;
  if (Array.isArray(value)) return `[${value.map(textOf).join(" ")}]`;
  if (typeof value !== "object") return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, inner]) => `${key}:${textOf(inner)}`).join(" ")}]`;
}

/** The same, with nothing that a terminal would obey but what the template says itself. */
export function shownText(value: unknown): string {
  return value instanceof Exact ? value.text : escapeControl(textOf(value));
}

export function isTrue(value: unknown): boolean {
  if (value instanceof Exact) return value.text !== "";
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

export function lengthOf(value: unknown): number {
  if (value instanceof Exact) return value.text.length;
  if (typeof value === "string" || Array.isArray(value)) return value.length;
  return typeof value === "object" && value !== null ? Object.keys(value).length : 0;
}
