import {
  asArray,
  asInteger,
  asObject,
  asString,
  invalid,
  member,
  optional,
  type Place,
} from "./document.ts";
import type { Hook, HookName, Hooks } from "./runtime-spec.ts";

export const HOOK_NAMES: readonly HookName[] = [
  "prestart",
  "createRuntime",
  "createContainer",
  "startContainer",
  "poststart",
  "poststop",
];

const MAX_LIST = 1000;
/** A day, in seconds. */
const MAX_TIMEOUT = 86_400;

/**
 * Reads `hooks` of a bundle's `config.json`.
 *
 * @throws TsimgError ERR_CONFIG_INVALID naming the member
 * @see OCI runtime-spec 1.2, config.md, "POSIX-platform Hooks"
 */
export function parseHooks(value: unknown, place: Place): Hooks {
  const object = asObject(value, place);
  const kinds = HOOK_NAMES.map((name) => [name, optional(object, name, place, parseKind)] as const);
  return Object.fromEntries(kinds.filter(([, hooks]) => hooks !== undefined && hooks.length > 0));
}

function parseKind(value: unknown, place: Place): readonly Hook[] {
  return asArray(value, MAX_LIST, place).map((one, index) => parseHook(one, member(place, index)));
}

function parseHook(value: unknown, place: Place): Hook {
  const object = asObject(value, place);
  const path = asString(object["path"], member(place, "path"));
  if (!path.startsWith("/")) throw invalid(member(place, "path"), "is not an absolute path");
  const texts = (it: unknown, at: Place) =>
    asArray(it, MAX_LIST, at).map((text, index) => asString(text, member(at, index)));
  const args = optional(object, "args", place, texts);
  const env = optional(object, "env", place, texts);
  const seconds = (it: unknown, at: Place) => asInteger(it, 1, MAX_TIMEOUT, at);
  const timeout = optional(object, "timeout", place, seconds);
  return {
    path,
    ...(args === undefined || args.length === 0 ? {} : { args }),
    ...(env === undefined ? {} : { env }),
    ...(timeout === undefined ? {} : { timeout }),
  };
}
