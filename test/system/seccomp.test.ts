import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Seccomp, SeccompArch } from "../../src/oci/runtime-spec.ts";
import { CAPABILITIES, DEFAULT_CAPABILITIES } from "../../src/runtime/capabilities.ts";
import { AUDIT_ARCHES } from "../../src/runtime/seccomp/architectures.ts";
import { assembleSeccomp } from "../../src/runtime/seccomp/assemble.ts";
import { defaultSeccomp } from "../../src/runtime/seccomp/default-profile.ts";
import { syscallNumbers, X32_BIT } from "../../src/runtime/seccomp/syscall-numbers.ts";
import { runFilter } from "../unit/runtime/seccomp/bpf-interpreter.ts";

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
const EAFNOSUPPORT = 97;
const ENOSYS = 38;

const hasCompiler = spawnSync("cc", ["--version"]).status === 0;

// Numbers below are amd64's.
describe.skipIf(!hasCompiler || process.arch !== "x64")("the kernel, given the filter", () => {
  let probe: string;
  beforeAll(() => {
    probe = join(directory, "probe");
    const options = ["-xc", "-O1", "-Wall", "-Wno-unused-result", "-o", probe, "-"];
    const cc = spawnSync("cc", options, { input: PROBE, encoding: "utf8" });
    expect([cc.status, cc.stderr]).toEqual([0, ""]);
  });

  const answers = (capabilities: readonly string[], calls: readonly string[]) => {
    const file = join(directory, "filter");
    writeFileSync(file, assembleSeccomp(defaultSeccomp("amd64", capabilities), "amd64"));
    const run = spawnSync(probe, [file, ...calls], { encoding: "utf8" });
    expect([run.status, run.stderr]).toEqual([0, ""]);
    return run.stdout.trim().split("\n").map(Number);
  };

  test("lets harmless calls through and refuses what docker refuses", () => {
    const calls: [string, number][] = [
      ["39", 0], // getpid
      ["135:0xffffffff", 0], // personality: asked
      ["135:0x40000", EPERM], // personality: ADDR_NO_RANDOMIZE
      ["41:38", EPERM], // socket: AF_ALG
      ["41:40", EPERM], // socket: AF_VSOCK
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
        DEFAULT_CAPABILITIES,
        calls.map(([call]) => call),
      ),
    ).toEqual(calls.map(([, errno]) => errno));
  });

  test("opens with a capability the calls that it is for", () => {
    const withAll = answers(CAPABILITIES, ["135:0x40000", "41:38", "272:0"]);
    expect(withAll).toEqual([EPERM, EPERM, 0]);
  });

  test("judges 32-bit calls by their own numbers", () => {
    const [probed] = answers(DEFAULT_CAPABILITIES, ["+20"]);
    // Kernels may be built or booted without 32-bit calls: then there is nothing to judge.
    if (probed !== 0) return;
    // getpid, keyctl, mount, a number of the future, socket with a family that doesn't exist.
    const got = answers(DEFAULT_CAPABILITIES, ["+20", "+288", "+21", "+999", "+359:200"]);
    expect(got).toEqual([0, EPERM, EPERM, ENOSYS, EAFNOSUPPORT]);
  });
});

/** Makes libseccomp assemble the profile given as JSON, and prints its filter. */
const REFERENCE = `
import ctypes, json, os, sys, tempfile
lib = ctypes.CDLL("libseccomp.so.2")
lib.seccomp_init.restype = ctypes.c_void_p
tokens = {"SCMP_ARCH_X86_64": 0xC000003E, "SCMP_ARCH_X86": 0x40000003, "SCMP_ARCH_X32": 0x4000003E,
          "SCMP_ARCH_AARCH64": 0xC00000B7, "SCMP_ARCH_ARM": 0x40000028}
operators = {"SCMP_CMP_NE": 1, "SCMP_CMP_LT": 2, "SCMP_CMP_LE": 3, "SCMP_CMP_EQ": 4,
             "SCMP_CMP_GE": 5, "SCMP_CMP_GT": 6, "SCMP_CMP_MASKED_EQ": 7}
class Arg(ctypes.Structure):
    _fields_ = [("index", ctypes.c_uint), ("op", ctypes.c_int),
                ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]
def action(name, errno):
    return 0x7FFF0000 if name == "SCMP_ACT_ALLOW" else 0x00050000 | (errno or 1)
profile = json.load(sys.stdin)
filter = ctypes.c_void_p(lib.seccomp_init(action(profile["defaultAction"], profile.get("defaultErrnoRet"))))
lib.seccomp_arch_remove(filter, 0)
for name in profile["architectures"]:
    lib.seccomp_arch_add(filter, ctypes.c_uint32(tokens[name]))
for rule in profile["syscalls"]:
    args = [Arg(a["index"], operators[a["op"]], a["value"], a.get("valueTwo", 0)) for a in rule.get("args", [])]
    for name in rule["names"]:
        number = lib.seccomp_syscall_resolve_name(name.encode())
        if number == -1:
            continue
        failed = lib.seccomp_rule_add_array(filter, ctypes.c_uint32(action(rule["action"], rule.get("errnoRet"))),
                                            number, len(args), (Arg * len(args))(*args))
        if failed:
            sys.exit("%s: %d" % (name, failed))
with tempfile.TemporaryFile() as out:
    if lib.seccomp_export_bpf(filter, out.fileno()):
        sys.exit("export failed")
    out.seek(0)
    sys.stdout.buffer.write(out.read())
`;

function libseccompFilter(profile: Seccomp): Buffer | undefined {
  const run = spawnSync("python3", ["-c", REFERENCE], { input: JSON.stringify(profile) });
  return run.status === 0 ? run.stdout : undefined;
}

describe("libseccomp, where it is installed with python", () => {
  // Newer names are unknown to the libseccomp of stable distributions.
  const KNOWN_TO_ALL = 450;
  const ARGS = [0n, 8n, 38n, 39n, 40n, 41n, 0x20008n, 0xffffffffn, 0x10000000n, 0x11n];

  const reference = libseccompFilter(defaultSeccomp("amd64", DEFAULT_CAPABILITIES));
  const sets: [string, readonly string[]][] = [
    ["docker's capabilities", DEFAULT_CAPABILITIES],
    ["none", []],
    ["all", CAPABILITIES],
  ];
  test.skipIf(reference === undefined).for(sets)("judges alike with %s", ([, set]) => {
    const profile = defaultSeccomp("amd64", set);
    const ours = assembleSeccomp(profile, "amd64");
    const theirs = libseccompFilter(profile);
    if (theirs === undefined) throw new Error("libseccomp refused the profile");
    let compared = 0;
    for (const arch of profile.architectures) {
      for (const number of comparable(arch)) {
        for (const arg of ARGS) {
          const call = { audit: AUDIT_ARCHES[arch].audit, number, args: [arg, 0n, 0n] };
          const mine: number = runFilter(ours, call);
          const other: number = runFilter(theirs, call);
          if (mine !== other) expect.fail(`${arch} ${number} (${arg}): ${mine} not ${other}`);
          compared++;
        }
      }
    }
    expect(compared).toBeGreaterThan(10_000);
  });

  function comparable(arch: SeccompArch): readonly number[] {
    const base = arch === "SCMP_ARCH_X32" ? X32_BIT : 0;
    // libseccomp adds rules of its own for i386's multiplexers when socket or semget are named.
    const skipped = ["uretprobe", "uprobe", "ipc", "socketcall"];
    const numbers = syscallNumbers(arch);
    const excluded = new Set(skipped.map((name) => numbers.get(name)));
    return [...Array(KNOWN_TO_ALL).keys(), 512, 520, 528, 547]
      .filter((number) => number < KNOWN_TO_ALL || arch === "SCMP_ARCH_X32")
      .filter((number) => !excluded.has(number))
      .map((number) => number + base);
  }
});
