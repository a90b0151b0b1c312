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

test("minKernel counts as docker counts it, in includes and in excludes", () => {
  const text = JSON.stringify({
    defaultAction: "SCMP_ACT_ERRNO",
    syscalls: [
      { names: ["ptrace"], action: "SCMP_ACT_ALLOW", includes: { minKernel: "4.8" } },
      { names: ["bpf"], action: "SCMP_ACT_ALLOW", includes: { minKernel: "6.10" } },
      { name: "read", action: "SCMP_ACT_ALLOW", excludes: { minKernel: "6.9" }, comment: "old" },
    ],
  });
  const namesOn = (kernel: string) =>
    parseSeccompProfile(text, "amd64", [], kernel).syscalls.flatMap(({ names }) => names);
  expect(namesOn("4.7.9")).toEqual(["read"]);
  expect(namesOn("6.8.0-31-generic")).toEqual(["ptrace", "read"]);
  expect(namesOn("6.9.1")).toEqual(["ptrace"]);
  expect(namesOn("6.10.0")).toEqual(["ptrace", "bpf"]);
});

test("the runtime spec's form is read whole, flags included", () => {
  const profile = {
    defaultAction: "SCMP_ACT_KILL_PROCESS",
    architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"],
    flags: ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
    syscalls: [
      {
        names: ["ioctl"],
        action: "SCMP_ACT_TRACE",
        errnoRet: 65535,
        args: [{ index: 1, value: 21505, valueTwo: 0, op: "SCMP_CMP_EQ" }],
      },
    ],
  };
  expect(parseSeccompProfile(JSON.stringify(profile), "amd64", [])).toEqual(profile);
});

test.each([
  [{ defaultAction: "SCMP_ACT_NOTIFY" }, "a supervisor (SCMP_ACT_NOTIFY)"],
  [{ syscalls: [{ names: ["bpf"], action: "SCMP_ACT_NOTIFY" }] }, "syscalls[0].action asks"],
  [{ listenerPath: "/run/agent.sock" }, "listenerPath names a supervisor"],
  [{ flags: ["SECCOMP_FILTER_FLAG_NEW_LISTENER"] }, '"SECCOMP_FILTER_FLAG_NEW_LISTENER" is not'],
  [{ architectures: ["SCMP_ARCH_X64"] }, 'no architecture "SCMP_ARCH_X64"'],
  [
    { architectures: ["SCMP_ARCH_X86"], archMap: [{ architecture: "SCMP_ARCH_X86" }] },
    "both architectures and archMap",
  ],
  [{ syscalls: [{ name: "read", names: ["write"] }] }, "both name and names"],
  [{ syscalls: [{ action: "SCMP_ACT_ALLOW" }] }, "syscalls[0] names no system call"],
  [
    {
      syscalls: [{ names: ["bpf"], action: "SCMP_ACT_ALLOW", includes: { minKernel: "new" } }],
    },
    'minKernel is not a version such as "4.8"',
  ],
  [
    {
      syscalls: [
        {
          names: ["bpf"],
          action: "SCMP_ACT_ALLOW",
          args: [{ index: 6, value: 0, op: "SCMP_CMP_EQ" }],
        },
      ],
    },
    "syscalls[0].args.index is not a whole number from 0 to 5",
  ],
])("what tsimg can't enforce is refused: %j", (members, message) => {
  const text = JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", ...members });
  expect(() => parseSeccompProfile(text, "amd64", [])).toThrow(
    expect.objectContaining({
      code: "ERR_CONFIG_INVALID",
      message: expect.stringContaining(message),
    }),
  );
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
