import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { SeccompArch } from "../../../../src/oci/runtime-spec.ts";
import { syscallNumbers } from "../../../../src/runtime/seccomp/syscall-numbers.ts";

const HEADERS = "/usr/include/x86_64-linux-gnu/asm";

describe("the tables of system calls", () => {
  const cases: [SeccompArch, string][] = [
    ["SCMP_ARCH_X86_64", "unistd_64.h"],
    ["SCMP_ARCH_X86", "unistd_32.h"],
    ["SCMP_ARCH_X32", "unistd_x32.h"],
  ];
  for (const [arch, header] of cases) {
    const path = `${HEADERS}/${header}`;
    // Without the C library's headers there is nothing to compare with.
    test.skipIf(!existsSync(path))(`hold all that ${header} defines, for ${arch}`, () => {
      const numbers = syscallNumbers(arch);
      const pattern = /^#define __NR_(\w+) (?:\(__X32_SYSCALL_BIT \+ )?(\d+)/gm;
      const defined = [...readFileSync(path, "utf8").matchAll(pattern)];
      expect(defined.length).toBeGreaterThan(300);
      for (const [, name = "", number] of defined) {
        expect([name, numbers.get(name)]).toEqual([name, Number(number)]);
      }
    });
  }

  test("number what is newer than 2019 alike on every architecture", () => {
    const amd64 = syscallNumbers("SCMP_ARCH_X86_64");
    for (const arch of ["SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64"] as const) {
      for (const [name, number] of syscallNumbers(arch)) {
        if (number >= 424 && number < 512) expect([name, amd64.get(name)]).toEqual([name, number]);
      }
    }
    expect(syscallNumbers("SCMP_ARCH_AARCH64").get("openat")).toBe(56);
    expect(syscallNumbers("SCMP_ARCH_ARM").get("cacheflush")).toBe(0xf0002);
  });
});
