import { release } from "node:os";
import type {
  Seccomp,
  SeccompAction,
  SeccompArch,
  SeccompArg,
  SeccompRule,
} from "../../oci/runtime-spec.ts";
import { kernelIsAtLeast } from "../../sys/kernel.ts";
import { MACHINE_ARCHES, type MachineArch } from "./architectures.ts";
import {
  asArray,
  asInteger,
  asObject,
  asStrings,
  invalid,
  isAbsent,
  type JsonObject,
  parseJson,
} from "./profile-values.ts";

const MAX_BYTES = 1024 * 1024;
const MAX_ERRNO = 4095;
/** What a tracer is told: all of SECCOMP_RET_DATA. */
const MAX_MESSAGE = 0xffff;

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

const FLAGS: readonly string[] = [
  "SECCOMP_FILTER_FLAG_LOG",
  "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
  "SECCOMP_FILTER_FLAG_TSYNC",
];

/** All that the runtime spec has, so that a misspelt one isn't taken for another machine's. */
const ARCHITECTURES: readonly string[] = `
  X86 X86_64 X32 ARM AARCH64 LOONGARCH64 M68K MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 MIPSEL64N32
  PARISC PARISC64 PPC PPC64 PPC64LE RISCV64 S390 S390X SH SHEB
`
  .trim()
  .split(/\s+/)
  .map((name) => `SCMP_ARCH_${name}`);

/** What a rule's `includes` and `excludes` may ask about. */
interface Circumstances {
  readonly arch: MachineArch;
  readonly capabilities: readonly string[];
  readonly kernel: string;
}

/**
 * Reads a seccomp profile: the runtime spec's form, or docker's, which has `includes` and
 * `excludes` for each rule and `archMap`.
 *
 * @param capabilities the container's bounding set, names with `CAP_`
 * @param kernel       its release, such as "6.1.0-18-amd64"
 * @throws TsimgError ERR_CONFIG_INVALID naming the member
 */
export function parseSeccompProfile(
  text: string,
  arch: MachineArch,
  capabilities: readonly string[],
  kernel: string = release(),
): Seccomp {
  if (text.length > MAX_BYTES) throw invalid("the file is larger than 1 MiB");
  const profile = asObject(parseJson(text), "the profile");
  refuseListener(profile);
  const now = { arch, capabilities, kernel };
  const flags = parseFlags(profile["flags"]);
  const defaultAction = asAction(profile["defaultAction"], "defaultAction");
  const errno = parseErrno(profile["defaultErrnoRet"], defaultAction, "defaultErrnoRet");
  const rules = asArray(profile["syscalls"], "syscalls");
  return {
    defaultAction,
    ...(errno === undefined ? {} : { defaultErrnoRet: errno }),
    architectures: parseArchitectures(profile, arch),
    ...(flags.length === 0 ? {} : { flags }),
    syscalls: rules.flatMap((rule, index) => parseRule(rule, `syscalls[${index}]`, now)),
  };
}

/** A supervisor's part of a profile: nothing here could answer what the kernel asks it. */
function refuseListener(profile: JsonObject): void {
  for (const member of ["listenerPath", "listenerMetadata"]) {
    if (isAbsent(profile[member]) || profile[member] === "") continue;
    throw invalid(`${member} names a supervisor of system calls, which tsimg doesn't support`);
  }
}

function parseFlags(value: unknown): readonly string[] {
  return asStrings(value, "flags").map((flag) => {
    if (FLAGS.includes(flag)) return flag;
    throw invalid(`flag "${flag.slice(0, 64)}" is not one of ${FLAGS.join(", ")}`);
  });
}

function parseArchitectures(profile: JsonObject, arch: MachineArch): readonly SeccompArch[] {
  const possible: readonly SeccompArch[] = MACHINE_ARCHES[arch];
  const named = asStrings(profile["architectures"], "architectures");
  const map = asArray(profile["archMap"], "archMap");
  if (named.length > 0 && map.length > 0) {
    throw invalid("both architectures and archMap are given, only one of them can count");
  }
  for (const entry of map) {
    const { architecture, subArchitectures } = asObject(entry, "archMap");
    const own = asStrings([architecture], "archMap.architecture");
    const others = asStrings(subArchitectures, "archMap.subArchitectures");
    refuseUnknown([...own, ...others]);
    if (own[0] === possible[0]) named.push(...own, ...others);
  }
  refuseUnknown(named);
  return possible.filter((one) => one === possible[0] || named.includes(one));
}

function refuseUnknown(architectures: readonly string[]): void {
  const unknown = architectures.find((name) => !ARCHITECTURES.includes(name));
  if (unknown === undefined) return;
  throw invalid(`there is no architecture "${unknown.slice(0, 64)}"`);
}

function parseRule(value: unknown, where: string, now: Circumstances): readonly SeccompRule[] {
  const rule = asObject(value, where);
  const names = parseNames(rule, where);
  const args = asArray(rule["args"], `${where}.args`);
  const action = asAction(rule["action"], `${where}.action`);
  const errno = parseErrno(rule["errnoRet"], action, `${where}.errnoRet`);
  const parsed = {
    names,
    action,
    ...(errno === undefined ? {} : { errnoRet: errno }),
    ...(args.length === 0 ? {} : { args: args.map((arg) => parseArg(arg, `${where}.args`)) }),
  };
  const included = answers(rule["includes"], `${where}.includes`, now).every((yes) => yes);
  const excluded = answers(rule["excludes"], `${where}.excludes`, now).some((yes) => yes);
  return included && !excluded ? [parsed] : [];
}

/** `name` is docker's older form. */
function parseNames(rule: JsonObject, where: string): readonly string[] {
  const { name } = rule;
  if (isAbsent(name) || name === "") {
    const names = asStrings(rule["names"], `${where}.names`);
    if (names.length === 0) throw invalid(`${where} names no system call`);
    return names;
  }
  if (asArray(rule["names"], `${where}.names`).length > 0) {
    throw invalid(`${where} has both name and names, only one of them can count`);
  }
  return asStrings([name], `${where}.name`);
}

/** For each thing that a rule's `includes` or `excludes` asks for, whether it is so. */
function answers(value: unknown, where: string, now: Circumstances): readonly boolean[] {
  const filter = asObject(value ?? {}, where);
  const architectures = asStrings(filter["arches"], `${where}.arches`);
  const capabilities = asStrings(filter["caps"], `${where}.caps`);
  const { minKernel } = filter;
  return [
    ...(architectures.length > 0 ? [architectures.includes(now.arch)] : []),
    ...capabilities.map((name) => now.capabilities.includes(name)),
    ...(isAbsent(minKernel) ? [] : [isNewEnough(minKernel, where, now.kernel)]),
  ];
}

function isNewEnough(minKernel: unknown, where: string, kernel: string): boolean {
  const text = typeof minKernel === "string" ? minKernel : "";
  const [, major, minor] = /^(\d{1,4})\.(\d{1,4})$/.exec(text) ?? [];
  if (major === undefined) throw invalid(`${where}.minKernel is not a version such as "4.8"`);
  return kernelIsAtLeast(Number(major), Number(minor), kernel);
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

function parseErrno(value: unknown, action: SeccompAction, where: string): number | undefined {
  if (isAbsent(value)) return undefined;
  return asInteger(value, where, action === "SCMP_ACT_TRACE" ? MAX_MESSAGE : MAX_ERRNO);
}

function asAction(value: unknown, where: string): SeccompAction {
  if (typeof value === "string" && ACTIONS.includes(value)) return value as SeccompAction;
  if (value === "SCMP_ACT_NOTIFY") {
    throw invalid(`${where} asks a supervisor (SCMP_ACT_NOTIFY), which tsimg doesn't support`);
  }
  throw invalid(`${where} is not an action that tsimg knows`);
}
