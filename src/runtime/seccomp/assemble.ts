import type { Seccomp, SeccompAction, SeccompArch, SeccompRule } from "../../oci/runtime-spec.ts";
import { AUDIT_ARCHES, MACHINE_ARCHES, type MachineArch } from "./architectures.ts";
import { BPF, BpfProgram, type Label } from "./bpf-program.ts";
import { whenAll } from "./conditions.ts";
import { syscallNumbers, X32_BIT, X32_OWN_END, X32_OWN_START } from "./syscall-numbers.ts";

const EPERM = 1;
const ENOSYS = 38;

/** linux/seccomp.h; the low 16 bits carry an errno or a tracer's message. */
const RETURN_VALUES: Readonly<Record<SeccompAction, number>> = {
  SCMP_ACT_KILL: 0x00000000,
  SCMP_ACT_KILL_THREAD: 0x00000000,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
};

/** Offsets in `struct seccomp_data`. */
const NUMBER = 0;
const ARCH = 4;

/** Rules with conditions, in order, then what holds when none of them fits. */
interface Chain {
  readonly rules: readonly SeccompRule[];
  readonly wordBits: 32 | 64;
  readonly otherwise: number;
}

/** A seccomp return value, or what must look at the arguments to know it. */
type Verdict = number | Chain;

/** The verdict for numbers from `from` up to the next span. */
interface Span {
  readonly from: number;
  readonly verdict: Verdict;
}

/**
 * The filter that enforces a profile: `struct sock_filter[]` for seccomp(2).
 *
 * For each system call, its rules with conditions are tried in order, then its first rule
 * without. Two conditions on one argument are alternatives, as runc has it. A name that this
 * version doesn't know is passed over. Numbers above all those that the profile names are
 * answered with ENOSYS, so that programs fall back when they meet a kernel newer than the
 * profile. A process of an architecture that the profile doesn't list is killed.
 *
 * The search in each architecture is binary, so a system call costs about ten instructions.
 *
 * @throws TsimgError ERR_CONFIG_INVALID when the filter is longer than a kernel takes
 */
export function assembleSeccomp(profile: Seccomp, arch: MachineArch): Buffer {
  const program = new BpfProgram();
  const arches = new Set([MACHINE_ARCHES[arch][0], ...profile.architectures]);
  const spansByAudit = new Map<number, Span[]>();
  for (const one of arches) {
    const { audit } = AUDIT_ARCHES[one];
    // x32 comes after amd64, and its numbers are above those of amd64.
    spansByAudit.set(audit, [...(spansByAudit.get(audit) ?? []), ...archSpans(profile, one)]);
  }

  let entry = program.answer(RETURN_VALUES.SCMP_ACT_KILL_PROCESS);
  for (const [audit, spans] of [...spansByAudit].reverse()) {
    if (audit === AUDIT_ARCHES.SCMP_ARCH_X86_64.audit && !arches.has("SCMP_ARCH_X32")) {
      spans.push({ from: X32_BIT, verdict: RETURN_VALUES.SCMP_ACT_KILL_PROCESS });
    }
    const search = program.load(NUMBER, writeSearch(program, spans));
    entry = program.branch(BPF.ifEqual, audit, search, entry);
  }
  program.load(ARCH, entry);
  return program.encode();
}

/** The whole range of numbers of one architecture, ascending, neighbours different. */
function archSpans(profile: Seccomp, arch: SeccompArch): Span[] {
  const base = arch === "SCMP_ARCH_X32" ? X32_BIT : 0;
  const verdicts = verdictsByNumber(profile, arch);
  const numbers = [...verdicts.keys()].sort((a, b) => a - b);
  const unnamed = unnamedSpans(profile, arch, numbers);

  const spans: Span[] = [];
  const add = (from: number, verdict: Verdict) => {
    if (spans.at(-1)?.verdict !== verdict) spans.push({ from: from + base, verdict });
  };
  let next = 0;
  for (const span of unnamed) {
    const end = unnamed[unnamed.indexOf(span) + 1]?.from ?? Number.POSITIVE_INFINITY;
    let from = span.from;
    for (; (numbers[next] ?? end) < end; next++) {
      const number = numbers[next] ?? end;
      if (from < number) add(from, span.verdict);
      add(number, verdicts.get(number) ?? span.verdict);
      from = number + 1;
    }
    if (from < end) add(from, span.verdict);
  }
  return spans;
}

/** What holds for numbers that no rule names. */
function unnamedSpans(profile: Seccomp, arch: SeccompArch, named: readonly number[]): Span[] {
  const byDefault = returnValue(profile.defaultAction, profile.defaultErrnoRet);
  if (!refuses(profile)) return [{ from: 0, verdict: byDefault }];
  const newest = named.findLast((number) => number < X32_OWN_START) ?? -1;
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

function refuses(profile: Seccomp): boolean {
  const permissive: readonly SeccompAction[] = ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE"];
  return !permissive.includes(profile.defaultAction) && profile.defaultErrnoRet !== ENOSYS;
}

function verdictsByNumber(profile: Seccomp, arch: SeccompArch): Map<number, Verdict> {
  const { wordBits } = AUDIT_ARCHES[arch];
  const numbers = syscallNumbers(arch);
  const byDefault = returnValue(profile.defaultAction, profile.defaultErrnoRet);
  const plain = new Map<number, number>();
  const conditional = new Map<number, SeccompRule[]>();
  for (const rule of profile.syscalls) {
    const value = returnValue(rule.action, rule.errnoRet);
    const alternatives = alternativesOf(rule);
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

/** Rules with at most one condition on each argument; none when there is no condition at all. */
function alternativesOf(rule: SeccompRule): readonly SeccompRule[] {
  const args = rule.args ?? [];
  if (args.length === 0) return [];
  if (new Set(args.map((arg) => arg.index)).size === args.length) return [rule];
  return args.map((arg) => ({ ...rule, args: [arg] }));
}

function returnValue(action: SeccompAction, errno: number | undefined): number {
  const carriesErrno = action === "SCMP_ACT_ERRNO" || action === "SCMP_ACT_TRACE";
  return RETURN_VALUES[action] | (carriesErrno ? (errno ?? EPERM) : 0);
}

function writeSearch(program: BpfProgram, spans: readonly Span[]): Label {
  const [first] = spans;
  if (first === undefined) return program.answer(RETURN_VALUES.SCMP_ACT_KILL_PROCESS);
  if (spans.length === 1) return writeVerdict(program, first.verdict);
  const middle = spans.length >> 1;
  const upper = writeSearch(program, spans.slice(middle));
  const lower = writeSearch(program, spans.slice(0, middle));
  return program.branch(BPF.ifNotLess, spans[middle]?.from ?? 0, upper, lower);
}

function writeVerdict(program: BpfProgram, verdict: Verdict): Label {
  if (typeof verdict === "number") return program.answer(verdict);
  let label = program.answer(verdict.otherwise);
  for (const rule of verdict.rules.toReversed()) {
    const fits = program.answer(returnValue(rule.action, rule.errnoRet));
    label = whenAll(program, rule.args ?? [], verdict.wordBits, fits, label);
  }
  return label;
}
