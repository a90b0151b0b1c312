import { TsimgError } from "../../sys/error.ts";

/*
 * Members of a seccomp profile, looked at before they are believed. Each throws ERR_CONFIG_INVALID
 * naming the member.
 */

export type JsonObject = Readonly<Record<string, unknown>>;

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid("the file is not JSON", cause);
  }
}

export function asObject(value: unknown, where: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw invalid(`${where} is not an object`);
}

/** None when the member is absent or null. */
export function asArray(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value === undefined || value === null) return [];
  throw invalid(`${where} is not a list`);
}

export function asStrings(value: unknown, where: string): string[] {
  return asArray(value, where).map((item) => {
    if (typeof item === "string") return item;
    throw invalid(`${where} holds something that is not a string`);
  });
}

export function asInteger(value: unknown, where: string, most: number): number {
  if (Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most) {
    return Number(value);
  }
  throw invalid(`${where} is not a whole number from 0 to ${most}`);
}

export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

export function invalid(what: string, cause?: unknown): TsimgError {
  return new TsimgError("ERR_CONFIG_INVALID", `invalid seccomp profile: ${what}`, {
    cause,
    hint: "docker's own profile shows the form; seccomp=unconfined does without",
  });
}
