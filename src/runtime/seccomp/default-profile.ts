import type { Seccomp, SeccompRule } from "../../oci/runtime-spec.ts";
import { MACHINE_ARCHES, type MachineArch } from "./architectures.ts";
import {
  ALLOWED_ALWAYS,
  ALLOWED_BY_CAPABILITY,
  ALLOWED_BY_MACHINE,
  ALLOWED_WHEN,
  CLONE_NEW_NAMESPACES,
} from "./docker-rules.ts";

const EPERM = 1;
const ENOSYS = 38;

/**
 * Docker's default filter for a container whose bounding set is `capabilities` (names with
 * `CAP_`): a capability also opens the system calls that it is for.
 */
export function defaultSeccomp(arch: MachineArch, capabilities: readonly string[]): Seccomp {
  const names = [...ALLOWED_ALWAYS, ...ALLOWED_BY_MACHINE[arch]];
  for (const capability of capabilities) names.push(...(ALLOWED_BY_CAPABILITY[capability] ?? []));
  const conditional = ALLOWED_WHEN.map(
    ({ name, arg }): SeccompRule => ({ names: [name], action: "SCMP_ACT_ALLOW", args: [arg] }),
  );
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: EPERM,
    architectures: MACHINE_ARCHES[arch],
    syscalls: [
      { names: [...new Set(names)], action: "SCMP_ACT_ALLOW" },
      ...conditional,
      ...(capabilities.includes("CAP_SYS_ADMIN") ? [] : WITHOUT_NEW_NAMESPACES),
    ],
  };
}

const WITHOUT_NEW_NAMESPACES: readonly SeccompRule[] = [
  {
    names: ["clone"],
    action: "SCMP_ACT_ALLOW",
    args: [{ index: 0, value: CLONE_NEW_NAMESPACES, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
  },
  // Its flags lie behind a pointer. With ENOSYS a C library falls back to clone.
  { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS },
];
