import type {
  Seccomp,
  SeccompAction,
  SeccompArch,
  SeccompArg,
  SeccompRule,
} from "../../oci/runtime-spec.ts";
import { AUDIT_ARCHES, MACHINE_ARCHES, type MachineArch } from "./architectures.ts";
import { syscallNumbers, X32_BIT, X32_OWN_END, X32_OWN_START } from "./syscall-numbers.ts";

const EPERM = 1;
const ENOSYS = 38;

/** linux/seccomp.h; the low 16 bits carry an errno or a tracer's message. */
export const RETURN_VALUES: Readonly<Record<SeccompAction, number>> = {
  SCMP_ACT_KILL: 0x00000000,
  SCMP_ACT_KILL_THREAD: 0x00000000,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
};

/** A seccomp return value, or what must look at the arguments to know it. */
export type Verdict = number | Chain;

/** Rules with conditions, in order, then what holds when none of them fits. */
export interface Chain {
  /** `args`: at most one condition on each argument; all must hold. */
  readonly rules: readonly { readonly args: readonly SeccompArg[]; readonly value: number }[];
  readonly wordBits: 32 | 64;
  readonly otherwise: number;
}

/** What holds for numbers from `from` up to the next span. `V`: a verdict, or who gives it. */
export interface Span<V> {
  readonly from: number;
  readonly verdict: V;
}

/** The machine's own architecture, and the others that the profile lists. */
export function architecturesOf(profile: Seccomp, arch: MachineArch): ReadonlySet<SeccompArch> {
  return new Set([MACHINE_ARCHES[arch][0], ...profile.architectures]);
}

/** The return value where no rule says otherwise. */
export function defaultValue(profile: Seccomp): number {
  return returnValue(profile.defaultAction, profile.defaultErrnoRet);
}

/**
 * The verdict on each system call that a rule names, by its number without `X32_BIT`. A name
 * that this version doesn't know is passed over.
 */
export function namedVerdicts(profile: Seccomp, arch: SeccompArch): Map<number, Verdict> {
  const { wordBits } = AUDIT_ARCHES[arch];
  const numbers = syscallNumbers(arch);
  const byDefault = defaultValue(profile);
  const plain = new Map<number, number>();
  const conditional = new Map<number, Chain["rules"]>();
  for (const rule of profile.syscalls) {
    const value = returnValue(rule.action, rule.errnoRet);
    const alternatives = alternativesOf(rule).map((args) => ({ args, value }));
    for (const name of rule.names) {
      const number = numbers.get(name);
      if (number === undefined) continue;
      if (alternatives.length > 0) {
        conditional.set(number, [...(conditional.get(number) ?? []), ...alternatives]);
      } else if (!plain.has(number)) plain.set(number, value);
    }
  }
  const verdicts = new Map<number, Verdict>(plain);
  for (const [number, rules] of conditional) {
    verdicts.set(number, { rules, wordBits, otherwise: plain.get(number) ?? byDefault });
  }
  return verdicts;
}

/**
 * What holds for numbers that no rule names, without `X32_BIT`: the default, and ENOSYS above
 * all those that the profile names, so that programs fall back when they meet a kernel newer
 * than the profile.
 *
 * @param byDefault what stands for the profile's default action
 */
export function unnamedSpans<V>(
  profile: Seccomp,
  arch: SeccompArch,
  named: Iterable<number>,
  byDefault: V,
): readonly Span<V | number>[] {
  if (!refuses(profile)) return [{ from: 0, verdict: byDefault }];
  const newest = Math.max(-1, ...[...named].filter((number) => number < X32_OWN_START));
  const unknown = RETURN_VALUES.SCMP_ACT_ERRNO | ENOSYS;
  return [
    { from: 0, verdict: byDefault },
    { from: newest + 1, verdict: unknown },
    ...(arch === "SCMP_ARCH_X32"
      ? [
          { from: X32_OWN_START, verdict: byDefault },
          { from: X32_OWN_END, verdict: unknown },
        ]
      : []),
  ];
}

/**
 * Single numbers put over spans: the whole range of numbers of one architecture, ascending,
 * neighbours different, now with `X32_BIT`.
 */
export function overlay<V>(
  unnamed: readonly Span<V>[],
  named: ReadonlyMap<number, V>,
  arch: SeccompArch,
): Span<V>[] {
  const base = arch === "SCMP_ARCH_X32" ? X32_BIT : 0;
  const numbers = [...named.keys()].sort((a, b) => a - b);
  const spans: Span<V>[] = [];
  const add = (from: number, verdict: V) => {
    if (spans.at(-1)?.verdict !== verdict) spans.push({ from: from + base, verdict });
  };
  let next = 0;
  for (const [index, span] of unnamed.entries()) {
    const end = unnamed[index + 1]?.from ?? Number.POSITIVE_INFINITY;
    let from = span.from;
    for (; (numbers[next] ?? end) < end; next++) {
      const number = numbers[next] ?? end;
      if (from < number) add(from, span.verdict);
      add(number, named.get(number) ?? span.verdict);
      from = number + 1;
    }
    if (from < end) add(from, span.verdict);
  }
  return spans;
}

function refuses(profile: Seccomp): boolean {
  const permissive: readonly SeccompAction[] = ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"];
  return !permissive.includes(profile.defaultAction) && profile.defaultErrnoRet !== ENOSYS;
}

/**
 * A rule's conditions, at most one on each argument; none when it has none at all. Two
 * conditions on one argument make all of the rule's conditions alternatives, as runc has it.
 */
function alternativesOf(rule: SeccompRule): readonly (readonly SeccompArg[])[] {
  const args = rule.args ?? [];
  if (args.length === 0) return [];
  if (new Set(args.map((arg) => arg.index)).size === args.length) return [args];
  return args.map((arg) => [arg]);
}

function returnValue(action: SeccompAction, errno: number | undefined): number {
  const carriesErrno = action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE";
  return (RETURN_VALUES[action] | (carriesErrno ? (errno ?? EPERM) : 0)) >>> 0;
}
