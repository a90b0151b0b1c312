import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Seccomp } from "../../src/oci/runtime-spec.ts";
import { CAPABILITIES, DEFAULT_CAPABILITIES } from "../../src/runtime/capabilities.ts";
import { assembleSeccomp } from "../../src/runtime/seccomp/assemble.ts";
import { defaultSeccomp } from "../../src/runtime/seccomp/default-profile.ts";
import { libseccompFilter } from "../../src/runtime/seccomp/libseccomp-engine.ts";
import { Libseccomp } from "../../src/sys/libseccomp.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "tsimg-seccomp-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Loads the filter in its first argument, then makes each call of the others: `NR:ARG0`. */
const PROBE = `
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static struct sock_filter filter[4096];
	int fd = open(argv[1], O_RDONLY);
	ssize_t size = read(fd, filter, sizeof filter);
	struct sock_fprog program = { size / sizeof *filter, filter };

	if (size <= 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return 1;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)) {
		perror("seccomp");
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		char *end;
		long number = strtol(argv[i], &end, 0);
		unsigned long arg = *end == ':' ? strtoul(end + 1, 0, 0) : 0;
		long result;

		errno = 0;
#ifdef __x86_64__
		if (argv[i][0] == '+') {
			__asm__ volatile("int $0x80" : "=a"(result)
				: "a"(number), "b"(arg), "c"(0), "d"(0), "S"(0), "D"(0) : "memory", "r8", "r9", "r10", "r11");
			printf("%d\\n", result < 0 && result > -4096 ? (int)-result : 0);
			continue;
		}
#endif
		result = syscall(number, arg, 0, 0, 0, 0, 0);
		printf("%d\\n", result < 0 ? errno : 0);
	}
	return 0;
}
`;

const EPERM = 1;
const ENOSYS = 38;
const ESOCKTNOSUPPORT = 94;

const hasCompiler = spawnSync("cc", ["--version"]).status === 0;

const ENGINES = [
  ["our own assembler", assembleSeccomp],
  ...(Libseccomp.open() === undefined ? [] : [["libseccomp", libseccompFilter] as const]),
] as const;

// Numbers below are amd64's.
describe.skipIf(!hasCompiler || process.arch !== "x64")("the kernel", () => {
  let probe: string;
  beforeAll(() => {
    probe = join(directory, "probe");
    const options = ["-xc", "-O1", "-Wall", "-Wno-unused-result", "-o", probe, "-"];
    const cc = spawnSync("cc", options, { input: PROBE, encoding: "utf8" });
    expect([cc.status, cc.stderr]).toEqual([0, ""]);
  });

  describe.each(ENGINES)("given a filter of %s", (_, engine) => {
    const run = (profile: Seccomp, calls: readonly string[]) => {
      const file = join(directory, "filter");
      writeFileSync(file, engine(profile, "amd64"));
      return spawnSync(probe, [file, ...calls], { encoding: "utf8" });
    };
    const answers = (profile: Seccomp, calls: readonly string[]) => {
      const { status, stdout, stderr } = run(profile, calls);
      expect([status, stderr]).toEqual([0, ""]);
      return stdout.trim().split("\n").map(Number);
    };
    const usual = defaultSeccomp("amd64", DEFAULT_CAPABILITIES);

    test("lets harmless calls through and refuses what docker refuses", () => {
      const calls: [string, number][] = [
        ["39", 0], // getpid
        ["135:0xffffffff", 0], // personality: asked
        ["135:0x40000", EPERM], // personality: ADDR_NO_RANDOMIZE
        ["41:1", ESOCKTNOSUPPORT], // socket: AF_UNIX, of no type
        ["41:20", EPERM], // socket: AF_ATMSVC
        ["41:38", EPERM], // socket: AF_ALG
        ["41:40", EPERM], // socket: AF_VSOCK
        ["41:46", EPERM], // socket: a family of the future
        ["56:0x10000000", EPERM], // clone: CLONE_NEWUSER
        ["272:0x10000000", EPERM], // unshare: CLONE_NEWUSER
        ["250", EPERM], // keyctl
        ["425", EPERM], // io_uring_setup
        ["435", ENOSYS], // clone3
        ["467", ENOSYS], // open_tree_attr, which the profile doesn't name
        ["1000", ENOSYS],
      ];
      expect(
        answers(
          usual,
          calls.map(([call]) => call),
        ),
      ).toEqual(calls.map(([, errno]) => errno));
    });

    test("opens with a capability the calls that it is for", () => {
      const all = defaultSeccomp("amd64", CAPABILITIES);
      expect(answers(all, ["135:0x40000", "41:38", "272:0"])).toEqual([EPERM, EPERM, 0]);
    });

    test("judges 32-bit calls by their own numbers", () => {
      const [probed] = answers(usual, ["+20"]);
      // Kernels may be built or booted without 32-bit calls: then there is nothing to judge.
      if (probed !== 0) return;
      // getpid, keyctl, mount, a number of the future, socket of AF_UNIX and of no family.
      const got = answers(usual, ["+20", "+288", "+21", "+999", "+359:1", "+359:200"]);
      expect(got).toEqual([0, EPERM, EPERM, ENOSYS, ESOCKTNOSUPPORT, EPERM]);
    });

    test("compares all 64 bits, and does what each action says", () => {
      const profile: Seccomp = {
        defaultAction: "SCMP_ACT_ALLOW",
        architectures: ["SCMP_ARCH_X86_64"],
        syscalls: [
          {
            names: ["getpgid"],
            action: "SCMP_ACT_ERRNO",
            errnoRet: 77,
            args: [{ index: 0, op: "SCMP_CMP_GE", value: 2 ** 32 }],
          },
          { names: ["getsid"], action: "SCMP_ACT_LOG" },
          { names: ["getuid"], action: "SCMP_ACT_TRACE" },
          { names: ["getgid"], action: "SCMP_ACT_TRAP" },
          { names: ["geteuid"], action: "SCMP_ACT_KILL_PROCESS" },
        ],
      };
      // Without a tracer, the kernel answers ENOSYS to what a tracer was to judge.
      const calls = ["121:0", "121:0x100000000", "121:0xffffffff00000000", "124:0", "102"];
      expect(answers(profile, calls)).toEqual([0, 77, 77, 0, ENOSYS]);
      expect(run(profile, ["104"]).signal).toBe("SIGSYS");
      expect(run(profile, ["107"]).signal).toBe("SIGSYS");
    });
  });
});
