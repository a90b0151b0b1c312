import { type ErrorCode, TsimgError } from "../sys/error.ts";

/** Where in whose document a value stands, and the code of errors about it. */
export interface Place {
  /** As in `layers[2].size`, behind the document's name: `manifest: layers[2].size`. */
  readonly what: string;
  readonly code: ErrorCode;
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function invalid(place: Place, flaw: string): TsimgError {
  return new TsimgError(place.code, `${place.what} ${flaw}`, {
    hint: "the image is damaged or was written by a faulty tool: build or push it again",
  });
}

/** The place one step further inside: `member(p, "size")`, `member(p, 2)`. */
export function member(place: Place, key: string | number): Place {
  const step =
    typeof key === "number" ? `[${key}]` : `${place.what.endsWith(":") ? " " : "."}${key}`;
  return { what: place.what + step, code: place.code };
}

/** @throws TsimgError when the bytes are no JSON object or more than `maxBytes` */
export function parseJsonObject(bytes: Uint8Array, maxBytes: number, place: Place): JsonObject {
  if (bytes.length > maxBytes) {
    throw invalid(place, `is larger than ${maxBytes} bytes`);
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"));
  } catch (cause) {
    throw new TsimgError(place.code, `${place.what} is not JSON`, { cause });
  }
  return asObject(value, place);
}

export function asObject(value: unknown, place: Place): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(place, `is ${kindOf(value)} in place of an object`);
  }
  return value as JsonObject;
}

export function asArray(value: unknown, maxLength: number, place: Place): readonly unknown[] {
  if (!Array.isArray(value)) throw invalid(place, `is ${kindOf(value)} in place of a list`);
  if (value.length > maxLength) {
    throw invalid(place, `has ${value.length} entries where ${maxLength} are the limit`);
  }
  return value;
}

/** A string without NUL, which would end it early in any system call. */
export function asString(value: unknown, place: Place): string {
  if (typeof value !== "string") throw invalid(place, `is ${kindOf(value)} in place of a string`);
  if (value.includes("\0")) throw invalid(place, "holds a NUL character");
  return value;
}

export function asInteger(value: unknown, min: number, max: number, place: Place): number {
  if (typeof value !== "number") throw invalid(place, `is ${kindOf(value)} in place of a number`);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw invalid(place, `is ${value}, not a whole number from ${min} to ${max}`);
  }
  return value;
}

/** Runs `parse` unless the member is absent or null, as encoders write empty members. */
export function optional<T>(
  object: JsonObject,
  key: string,
  place: Place,
  parse: (value: unknown, place: Place) => T,
): T | undefined {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return value === undefined || value === null ? undefined : parse(value, member(place, key));
}

export function asStringMap(value: unknown, place: Place): Readonly<Record<string, string>> {
  const entries = Object.entries(asObject(value, place));
  return Object.fromEntries(
    entries.map(([key, text]) => [key, asString(text, member(place, key))]),
  );
}

/** Text of unknown origin made fit for one line of a message. */
export function quoteForMessage(text: string, maxLength = 120): string {
  return JSON.stringify(text.length > maxLength ? `${text.slice(0, maxLength)}…` : text);
}

function kindOf(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
