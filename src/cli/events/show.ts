import type { Event } from "../../store/events.ts";
import { escapeControl, jsonText } from "../output/escape-control.ts";
import { evaluate } from "../output/template/evaluate.ts";
import type { Template } from "../output/template/syntax.ts";

/** @param format undefined: as docker's own line; `json`: a JSON object; else a template */
export function showEvent(event: Event, format: Template | "json" | undefined): string {
  if (format === "json") return asJson(event);
  if (format !== undefined) return evaluate(format, asObject(event));
  const { type, action, actor } = event;
  const details = sorted(event)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
  return escapeControl(`${wholeTime(event)} ${type} ${action} ${actor} (${details})`);
}

/** Docker's member order; the first three are of containers and images alone. */
function asJson(event: Event): string {
  const { type, action, actor, attributes } = event;
  const old = { status: action, ...(actor === "" ? {} : { id: actor }) };
  const text = jsonText({
    ...(type === "container" || type === "image" ? old : {}),
    ...(type === "container" && actor !== "" ? { from: attributes["image"] ?? "" } : {}),
    Type: type,
    Action: action,
    Actor: { ID: actor, Attributes: Object.fromEntries(sorted(event)) },
    scope: "local",
    time: Math.floor(Date.parse(event.time) / 1000),
  });
  // Too many digits for a number of JavaScript's.
  return `${text.slice(0, -1)},"timeNano":${nanoseconds(event)}}`;
}

/** As templates name the members. */
function asObject(event: Event): object {
  const { type, action, actor, attributes, time } = event;
  return {
    Status: action,
    ID: actor,
    From: type === "container" ? (attributes["image"] ?? "") : "",
    Type: type,
    Action: action,
    Actor: { ID: actor, Attributes: Object.fromEntries(sorted(event)) },
    Scope: "local",
    Time: Math.floor(Date.parse(time) / 1000),
    TimeNano: String(nanoseconds(event)),
  };
}

function sorted({ attributes }: Event): readonly (readonly [string, string])[] {
  return Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** Times of launchers have nanoseconds, ours milliseconds. */
function fraction({ time }: Event): string {
  return (/\.(\d{1,9})/.exec(time)?.[1] ?? "").padEnd(9, "0");
}

export function wholeTime(event: Event): string {
  return `${event.time.slice(0, 19)}.${fraction(event)}Z`;
}

function nanoseconds(event: Event): bigint {
  const seconds = Math.floor(Date.parse(event.time) / 1000);
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction(event));
}
