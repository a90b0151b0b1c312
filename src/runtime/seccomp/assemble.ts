import type { Seccomp, SeccompArch } from "../../oci/runtime-spec.ts";
import { AUDIT_ARCHES, type MachineArch } from "./architectures.ts";
import { BPF, BpfProgram, type Label } from "./bpf-program.ts";
import { whenAll } from "./conditions.ts";
import { X32_BIT } from "./syscall-numbers.ts";
import {
  architecturesOf,
  defaultValue,
  namedVerdicts,
  overlay,
  RETURN_VALUES,
  type Span,
  unnamedSpans,
  type Verdict,
} from "./verdicts.ts";

/** Offsets in `struct seccomp_data`. */
const NUMBER = 0;
const ARCH = 4;

/** The filter that follows gives the verdict. */
type Elsewhere = "elsewhere";

/**
 * The filter that enforces a profile: `struct sock_filter[]` for seccomp(2).
 *
 * For each system call, its rules with conditions are tried in order, then its first rule
 * without. Numbers above all those that the profile names are answered with ENOSYS. A process
 * of an architecture that the profile doesn't list is killed.
 *
 * The search in each architecture is binary, so a system call costs about ten instructions.
 *
 * @throws TsimgError ERR_CONFIG_INVALID when the filter is longer than a kernel takes
 */
export function assembleSeccomp(profile: Seccomp, arch: MachineArch): Buffer {
  const program = new BpfProgram();
  return writeFilter(program, profile, arch, undefined, (one) => {
    const named = namedVerdicts(profile, one);
    const byDefault: Verdict = defaultValue(profile);
    return overlay(unnamedSpans(profile, one, named.keys(), byDefault), named, one);
  });
}

/**
 * The filter that enforces a profile with the help of another, which follows it and gives the
 * verdict wherever this one has none: on the numbers that the profile could name and `decided`
 * doesn't hold.
 *
 * @param decided for each architecture of the profile, the calls not to be left to `body`, by
 *                number without `X32_BIT`
 * @throws TsimgError ERR_CONFIG_INVALID when both are longer than a kernel takes
 */
export function assembleBefore(
  body: Buffer,
  profile: Seccomp,
  arch: MachineArch,
  decided: ReadonlyMap<SeccompArch, ReadonlyMap<number, Verdict>>,
): Buffer {
  const program = new BpfProgram();
  return writeFilter(program, profile, arch, program.include(body), (one) => {
    const named = [...namedVerdicts(profile, one).keys()];
    const unnamed = unnamedSpans<Verdict | Elsewhere>(profile, one, named, "elsewhere");
    const verdictOn = (number: number): Verdict | Elsewhere =>
      decided.get(one)?.get(number) ?? "elsewhere";
    return overlay(unnamed, new Map(named.map((number) => [number, verdictOn(number)])), one);
  });
}

function writeFilter(
  program: BpfProgram,
  profile: Seccomp,
  arch: MachineArch,
  elsewhere: Label | undefined,
  spansOf: (arch: SeccompArch) => readonly Span<Verdict | Elsewhere>[],
): Buffer {
  const arches = architecturesOf(profile, arch);
  const spansByAudit = new Map<number, Span<Verdict | Elsewhere>[]>();
  for (const one of arches) {
    const { audit } = AUDIT_ARCHES[one];
    // x32 comes after amd64, and its numbers are above those of amd64.
    spansByAudit.set(audit, [...(spansByAudit.get(audit) ?? []), ...spansOf(one)]);
  }

  let entry = program.answer(RETURN_VALUES.SCMP_ACT_KILL_PROCESS);
  for (const [audit, spans] of [...spansByAudit].reverse()) {
    if (audit === AUDIT_ARCHES.SCMP_ARCH_X86_64.audit && !arches.has("SCMP_ARCH_X32")) {
      spans.push({ from: X32_BIT, verdict: RETURN_VALUES.SCMP_ACT_KILL_PROCESS });
    }
    const search = program.load(NUMBER, writeSearch(program, spans, elsewhere));
    entry = program.branch(BPF.ifEqual, audit, search, entry);
  }
  program.load(ARCH, entry);
  return program.encode();
}

function writeSearch(
  program: BpfProgram,
  spans: readonly Span<Verdict | Elsewhere>[],
  elsewhere: Label | undefined,
): Label {
  const [first] = spans;
  if (first === undefined) return program.answer(RETURN_VALUES.SCMP_ACT_KILL_PROCESS);
  if (spans.length === 1) {
    if (first.verdict !== "elsewhere") return writeVerdict(program, first.verdict);
    return elsewhere ?? program.answer(RETURN_VALUES.SCMP_ACT_KILL_PROCESS);
  }
  const middle = spans.length >> 1;
  const upper = writeSearch(program, spans.slice(middle), elsewhere);
  const lower = writeSearch(program, spans.slice(0, middle), elsewhere);
  return program.branch(BPF.ifNotLess, spans[middle]?.from ?? 0, upper, lower);
}

function writeVerdict(program: BpfProgram, verdict: Verdict): Label {
  if (typeof verdict === "number") return program.answer(verdict);
  let label = program.answer(verdict.otherwise);
  for (const rule of verdict.rules.toReversed()) {
    label = whenAll(program, rule.args, verdict.wordBits, program.answer(rule.value), label);
  }
  return label;
}
