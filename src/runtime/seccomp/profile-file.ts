import type {
  Seccomp,
  SeccompAction,
  SeccompArch,
  SeccompArg,
  SeccompRule,
} from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import { MACHINE_ARCHES, type MachineArch } from "./architectures.ts";

const MAX_BYTES = 1024 * 1024;
const MAX_ERRNO = 4095;

const ACTIONS: readonly string[] = [
  "SCMP_ACT_ALLOW",
  "SCMP_ACT_ERRNO",
  "SCMP_ACT_KILL",
  "SCMP_ACT_KILL_THREAD",
  "SCMP_ACT_KILL_PROCESS",
  "SCMP_ACT_TRAP",
  "SCMP_ACT_TRACE",
  "SCMP_ACT_LOG",
] satisfies SeccompAction[];

const OPERATORS: readonly string[] = [
  "SCMP_CMP_EQ",
  "SCMP_CMP_NE",
  "SCMP_CMP_LT",
  "SCMP_CMP_LE",
  "SCMP_CMP_GE",
  "SCMP_CMP_GT",
  "SCMP_CMP_MASKED_EQ",
] satisfies SeccompArg["op"][];

/** What a rule's `includes` and `excludes` may ask about. */
interface Circumstances {
  readonly arch: MachineArch;
  readonly capabilities: readonly string[];
}

/**
 * Reads a seccomp profile in docker's form: the runtime spec's, with `includes` and `excludes`
 * for each rule and `archMap`.
 *
 * A rule's `minKernel` counts as met: every profile's oldest demand is older than the kernels
 * that tsimg runs on.
 *
 * @throws TsimgError ERR_CONFIG_INVALID naming the member
 */
export function parseSeccompProfile(
  text: string,
  arch: MachineArch,
  capabilities: readonly string[],
): Seccomp {
  if (text.length > MAX_BYTES) throw invalid("the file is larger than 1 MiB");
  const profile = asObject(parseJson(text), "the profile");
  const rules = asArray(profile["syscalls"] ?? [], "syscalls");
  const circumstances = { arch, capabilities };
  const errno = optionalErrno(profile["defaultErrnoRet"], "defaultErrnoRet");
  return {
    defaultAction: asAction(profile["defaultAction"], "defaultAction"),
    ...(errno === undefined ? {} : { defaultErrnoRet: errno }),
    architectures: parseArchitectures(profile, arch),
    syscalls: rules.flatMap((rule, index) => parseRule(rule, `syscalls[${index}]`, circumstances)),
  };
}

function parseArchitectures(profile: JsonObject, arch: MachineArch): readonly SeccompArch[] {
  const possible: readonly SeccompArch[] = MACHINE_ARCHES[arch];
  const named = asStrings(profile["architectures"] ?? [], "architectures");
  for (const entry of asArray(profile["archMap"] ?? [], "archMap")) {
    const { architecture, subArchitectures } = asObject(entry, "archMap");
    if (architecture !== possible[0]) continue;
    named.push(String(architecture), ...asStrings(subArchitectures ?? [], "subArchitectures"));
  }
  return possible.filter((one) => one === possible[0] || named.includes(one));
}

function parseRule(value: unknown, where: string, now: Circumstances): readonly SeccompRule[] {
  const rule = asObject(value, where);
  const included = holds(rule["includes"], `${where}.includes`, now, "every");
  const excluded = holds(rule["excludes"], `${where}.excludes`, now, "some");
  if (!included || excluded) return [];
  const names = asStrings(rule["names"] ?? [rule["name"]], `${where}.names`);
  const args = asArray(rule["args"] ?? [], `${where}.args`);
  const errno = optionalErrno(rule["errnoRet"], `${where}.errnoRet`);
  return [
    {
      names,
      action: asAction(rule["action"], `${where}.action`),
      ...(errno === undefined ? {} : { errnoRet: errno }),
      ...(args.length === 0 ? {} : { args: args.map((arg) => parseArg(arg, `${where}.args`)) }),
    },
  ];
}

/** `every`: all that is asked for is so; `some`: anything of it is. */
function holds(value: unknown, where: string, now: Circumstances, how: "every" | "some"): boolean {
  const filter = asObject(value ?? {}, where);
  const architecture = asStrings(filter["arches"] ?? [], `${where}.arches`);
  const capabilities = asStrings(filter["caps"] ?? [], `${where}.caps`);
  const answers = [
    ...(architecture.length > 0 ? [architecture.includes(now.arch)] : []),
    ...capabilities.map((name) => now.capabilities.includes(name)),
    ...(filter["minKernel"] ? [true] : []),
  ];
  return how === "every" ? answers.every((yes) => yes) : answers.some((yes) => yes);
}

function parseArg(value: unknown, where: string): SeccompArg {
  const { index, value: operand, valueTwo, op } = asObject(value, where);
  if (typeof op !== "string" || !OPERATORS.includes(op)) {
    throw invalid(`${where} has an unknown op`);
  }
  return {
    index: asInteger(index, `${where}.index`, 5),
    value: asInteger(operand ?? 0, `${where}.value`, Number.MAX_SAFE_INTEGER),
    valueTwo: asInteger(valueTwo ?? 0, `${where}.valueTwo`, Number.MAX_SAFE_INTEGER),
    op: op as SeccompArg["op"],
  };
}

type JsonObject = Readonly<Record<string, unknown>>;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid("the file is not JSON", cause);
  }
}

function asObject(value: unknown, where: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as JsonObject;
  }
  throw invalid(`${where} is not an object`);
}

function asArray(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw invalid(`${where} is not a list`);
}

function asStrings(value: unknown, where: string): string[] {
  return asArray(value, where).map((item) => {
    if (typeof item === "string") return item;
    throw invalid(`${where} holds something that is not a string`);
  });
}

function asInteger(value: unknown, where: string, most: number): number {
  if (Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most) {
    return Number(value);
  }
  throw invalid(`${where} is not a whole number from 0 to ${most}`);
}

function optionalErrno(value: unknown, where: string): number | undefined {
  return value === undefined || value === null ? undefined : asInteger(value, where, MAX_ERRNO);
}

function asAction(value: unknown, where: string): SeccompAction {
  if (typeof value === "string" && ACTIONS.includes(value)) return value as SeccompAction;
  throw invalid(`${where} is not an action that tsimg knows`);
}

function invalid(what: string, cause?: unknown): TsimgError {
  return new TsimgError("ERR_CONFIG_INVALID", `invalid seccomp profile: ${what}`, {
    cause,
    hint: "docker's own profile shows the form; seccomp=unconfined does without",
  });
}
