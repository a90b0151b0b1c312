import type { Seccomp, SeccompArch, SeccompArg } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import {
  COMPARE,
  type Comparison,
  Libseccomp,
  type LibseccompFilter,
} from "../../sys/libseccomp.ts";
import { AUDIT_ARCHES, type MachineArch } from "./architectures.ts";
import { assembleBefore } from "./assemble.ts";
import { syscallNumbers, X32_BIT } from "./syscall-numbers.ts";
import {
  architecturesOf,
  defaultValue,
  namedVerdicts,
  RETURN_VALUES,
  type Verdict,
} from "./verdicts.ts";

/** The library tells x32 from amd64 by a token of its own. */
const X32_TOKEN = 0x4000003e;

const OPERATORS: Readonly<Record<SeccompArg["op"], Comparison["op"]>> = {
  SCMP_CMP_NE: COMPARE.NE,
  SCMP_CMP_LT: COMPARE.LT,
  SCMP_CMP_LE: COMPARE.LE,
  SCMP_CMP_EQ: COMPARE.EQ,
  SCMP_CMP_GE: COMPARE.GE,
  SCMP_CMP_GT: COMPARE.GT,
  SCMP_CMP_MASKED_EQ: COMPARE.MASKED_EQ,
};

/**
 * As `assembleSeccomp`, most of it libseccomp's work.
 *
 * What the library can't say stands in front of its filter, in our own instructions: the
 * ENOSYS above the profile's newest number, calls that it doesn't know yet, and rules on one
 * call that contradict each other, of which it would choose by an order of its own.
 *
 * @throws TsimgError ERR_KERNEL when the library isn't installed; ERR_CONFIG_INVALID when the
 *         filter is longer than a kernel takes
 * @throws ErrnoError when the library fails
 */
export function libseccompFilter(profile: Seccomp, arch: MachineArch): Buffer {
  const library = Libseccomp.open();
  if (library === undefined) {
    throw new TsimgError("ERR_KERNEL", "libseccomp.so.2 can't be loaded", {
      hint: "install libseccomp2, or leave TSIMG_SECCOMP_ENGINE unset",
    });
  }
  using filters = new DisposableStack();
  const decided = new Map<SeccompArch, ReadonlyMap<number, Verdict>>();
  let whole: LibseccompFilter | undefined;
  for (const one of architecturesOf(profile, arch)) {
    const filter = filters.use(library.filter(tokenOf(one), defaultValue(profile)));
    filter.setOtherArches(RETURN_VALUES.SCMP_ACT_KILL_PROCESS);
    filter.searchAsTree();
    decided.set(one, addRules(library, filter, profile, one));
    if (whole === undefined) whole = filter;
    else whole.merge(filter);
  }
  return assembleBefore(whole?.export() ?? Buffer.alloc(0), profile, arch, decided);
}

/** @returns what the library didn't take */
function addRules(
  library: Libseccomp,
  filter: LibseccompFilter,
  profile: Seccomp,
  arch: SeccompArch,
): ReadonlyMap<number, Verdict> {
  const numbers = syscallNumbers(arch);
  const named = namedVerdicts(profile, arch);
  const byDefault = defaultValue(profile);
  const left = new Map<number, Verdict>();
  for (const [name, number] of numbers) {
    const verdict = named.get(number);
    if (verdict === undefined || verdict === byDefault) continue;
    const syscall = numberForLibrary(library, arch, name, number);
    const rules = rulesOf(verdict, byDefault, arch);
    if (syscall === undefined || rules === undefined || !addAll(filter, syscall, rules)) {
      left.set(number, verdict);
    }
  }
  return left;
}

interface LibraryRule {
  readonly value: number;
  readonly comparisons: readonly Comparison[];
}

/** All of a call's rules, or none: one that is refused may have others already in the filter. */
function addAll(filter: LibseccompFilter, syscall: number, rules: readonly LibraryRule[]): boolean {
  return rules.every(({ value, comparisons }) => filter.addRule(value, syscall, comparisons));
}

/**
 * The rules that make a verdict. Undefined when the order among them matters, since the library
 * keeps none; when it would compare something else (of x32's 64-bit registers it looks at the
 * lower half, of 32-bit ones at a half that they don't have); and when several rules meet on a
 * call that 2.5.4 puts together wrongly. With several conditions in one of them, or several that
 * ask for less or more, it lets calls pass that none of them allows: "less than 0, or more than
 * 2^32" is true of 1.
 */
function rulesOf(
  verdict: Verdict,
  byDefault: number,
  arch: SeccompArch,
): readonly LibraryRule[] | undefined {
  if (typeof verdict === "number") return [{ value: verdict, comparisons: [] }];
  const [first] = verdict.rules;
  const alike = verdict.rules.every(({ value }) => value === first?.value);
  if (first === undefined || !alike || first.value === byDefault) return undefined;
  if (verdict.otherwise !== byDefault || arch === "SCMP_ARCH_X32") return undefined;
  const wide = verdict.wordBits === 64;
  if (!verdict.rules.every(({ args }) => wide || args.every(fitsWord))) return undefined;
  const conditions = verdict.rules.flatMap(({ args }) => args);
  const alone = verdict.rules.length === 1;
  const single = conditions.length === verdict.rules.length;
  if (!alone && !(single && conditions.filter(comparesOrder).length <= 1)) return undefined;
  return verdict.rules.map(({ args, value }) => ({ value, comparisons: args.map(comparisonOf) }));
}

function comparesOrder({ op }: SeccompArg): boolean {
  return ["SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_GE", "SCMP_CMP_GT"].includes(op);
}

function fitsWord({ value, valueTwo = 0 }: SeccompArg): boolean {
  return value < 2 ** 32 && valueTwo < 2 ** 32;
}

function comparisonOf({ index, op, value, valueTwo = 0 }: SeccompArg): Comparison {
  return { arg: index, op: OPERATORS[op], first: BigInt(value), second: BigInt(valueTwo) };
}

/**
 * The machine's own calls are given by number, known to the library or not. Those of other
 * architectures it looks up by their names: they must be the ones that we mean.
 */
function numberForLibrary(
  library: Libseccomp,
  arch: SeccompArch,
  name: string,
  number: number,
): number | undefined {
  const token = tokenOf(arch);
  if (token === library.nativeArch) return number;
  const own = arch === "SCMP_ARCH_X32" ? number + X32_BIT : number;
  return library.resolveFor(token, name) === own ? library.resolve(name) : undefined;
}

function tokenOf(arch: SeccompArch): number {
  return arch === "SCMP_ARCH_X32" ? X32_TOKEN : AUDIT_ARCHES[arch].audit;
}
