import fc from "fast-check";
import { expect, test } from "vitest";
import { parseSeccompProfile } from "../../../../src/runtime/seccomp/profile-file.ts";
import { TsimgError } from "../../../../src/sys/error.ts";

test("a rule counts when the container has its capabilities and the machine its architecture", () => {
  const rule = (name: string, filter: object) => ({
    names: [name],
    action: "SCMP_ACT_ALLOW",
    ...filter,
  });
  const text = JSON.stringify({
    defaultAction: "SCMP_ACT_ERRNO",
    archMap: [
      { architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"] },
      { architecture: "SCMP_ARCH_S390X", subArchitectures: ["SCMP_ARCH_S390"] },
    ],
    syscalls: [
      rule("read", {}),
      rule("mount", { includes: { caps: ["CAP_SYS_ADMIN"] } }),
      rule("clone", { excludes: { caps: ["CAP_SYS_ADMIN"], arches: ["s390"] } }),
      rule("chroot", { includes: { caps: ["CAP_SYS_CHROOT"], arches: ["amd64"] } }),
      rule("arm_only", { includes: { arches: ["arm64"] } }),
      rule("ptrace", { includes: { minKernel: "4.8" } }),
    ],
  });
  const profile = parseSeccompProfile(text, "amd64", ["CAP_SYS_CHROOT"]);
  const names = profile.syscalls.flatMap((one) => one.names);
  expect(names).toEqual(["read", "clone", "chroot", "ptrace"]);
  expect(profile.architectures).toEqual(["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]);
});

test("what is not a profile is refused with the member at fault", () => {
  const parse = (profile: unknown) => () =>
    parseSeccompProfile(JSON.stringify(profile), "amd64", []);
  expect(parse([])).toThrow("the profile is not an object");
  expect(parse({ defaultAction: "SCMP_ACT_MAYBE" })).toThrow("defaultAction is not an action");
  const rule = { names: ["read"], action: "SCMP_ACT_ERRNO", errnoRet: 5000 };
  const withRule = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [rule] };
  expect(parse(withRule)).toThrow("syscalls[0].errnoRet is not a whole number from 0 to 4095");
});

test("no JSON makes it fail otherwise than with a message", () => {
  const members = fc.constantFrom("defaultAction", "syscalls", "archMap", "names", "args", "op");
  const profile = fc.dictionary(members, fc.jsonValue());
  fc.assert(
    fc.property(fc.oneof(profile, fc.record({ syscalls: fc.array(profile) })), (value) => {
      const whole = { defaultAction: "SCMP_ACT_ALLOW", ...value };
      try {
        parseSeccompProfile(JSON.stringify(whole), "amd64", []);
      } catch (error) {
        expect(error).toBeInstanceOf(TsimgError);
      }
    }),
  );
});
