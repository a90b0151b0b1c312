import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Spec } from "../../../../src/oci/runtime-spec.ts";
import { compileTape } from "../../../../src/runtime/tape/compile.ts";
import { encodeTape } from "../../../../src/runtime/tape/encode.ts";
import { explainTape } from "../../../../src/runtime/tape/explain.ts";
import type { LaunchRequest } from "../../../../src/runtime/tape/request.ts";
import type { Argument, Step } from "../../../../src/runtime/tape/tape.ts";

const SPEC: Spec = {
  ociVersion: "1.2.0",
  root: { path: "/host/root" },
  hostname: "box",
  process: {
    user: { uid: 1000, gid: 1000, additionalGids: [5] },
    args: ["sh", "-c", "true"],
    env: ["PATH=/usr/bin:/bin", "HOME=/"],
    cwd: "/work",
    noNewPrivileges: true,
    capabilities: {
      bounding: ["CAP_CHOWN"],
      effective: [],
      permitted: ["CAP_CHOWN"],
      inheritable: ["CAP_CHOWN"],
      ambient: ["CAP_CHOWN"],
    },
    rlimits: [{ type: "RLIMIT_NOFILE", soft: 1024, hard: 4096 }],
  },
  mounts: [
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid"] },
    { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["mode=755"] },
    { destination: "/data/in", type: "bind", source: "/host/data", options: ["rbind", "ro"] },
  ],
  linux: {
    namespaces: (["pid", "mount", "network", "cgroup", "uts"] as const).map((type) => ({ type })),
    cgroupsPath: "/tsimg/x",
    maskedPaths: ["/proc/keys"],
    readonlyPaths: ["/proc/sys"],
  },
};

const REQUEST: LaunchRequest = {
  spec: SPEC,
  rootMounts: [
    {
      type: "overlay",
      source: "overlay",
      options: ["lowerdir+=a", "lowerdir+=b"],
      directory: "/host/layers",
      api: "fsconfig",
    },
  ],
  cgroup: {
    directories: ["/sys/fs/cgroup/memory/tsimg", "/sys/fs/cgroup/memory/tsimg/x"],
    writes: [
      {
        file: "/sys/fs/cgroup/memory/tsimg/x/memory.limit_in_bytes",
        value: "1",
        why: "--memory 1",
        optional: false,
      },
    ],
    procsFiles: ["/sys/fs/cgroup/memory/tsimg/x/cgroup.procs"],
    removals: ["/sys/fs/cgroup/memory/tsimg/x"],
  },
  stateDirectory: "/run/tsimg/x",
  io: { kind: "foreground", tty: false, interactive: false },
  removeAfter: ["/host/upper", "/run/tsimg/x"],
  init: false,
  seccompFilter: Buffer.alloc(16),
};

function withSpec(change: Partial<Spec>, request: Partial<LaunchRequest> = {}): LaunchRequest {
  return { ...REQUEST, ...request, spec: { ...SPEC, ...change } };
}

const child = (request: LaunchRequest = REQUEST) => compileTape(request).child;
const indexOf = (steps: readonly Step[], matches: (step: Step) => boolean) => {
  const index = steps.findIndex(matches);
  expect(index).toBeGreaterThanOrEqual(0);
  return index;
};
const call = (name: string, first?: string) => (step: Step) =>
  step.call === name && (first === undefined || shows(step.args[0], first));
const shows = (argument: Argument | undefined, name: string) =>
  typeof argument === "object" &&
  argument.kind === "flags" &&
  argument.names.some((it) => it === name);

describe("compileTape", () => {
  test("drops privileges in the one order in which each step still may", () => {
    const order = (noNewPrivileges: boolean) => {
      const steps = child(withSpec({ process: { ...SPEC.process, noNewPrivileges } }));
      return {
        join: indexOf(steps, (it) => it.why.startsWith("joining cgroup")),
        unshare: indexOf(steps, call("unshare")),
        separate: indexOf(steps, call("mount")),
        pivot: indexOf(steps, call("pivot_root")),
        bounding: indexOf(steps, call("prctl", "PR_CAPBSET_DROP")),
        groups: indexOf(steps, call("setgroups")),
        user: indexOf(steps, call("setresuid")),
        capset: indexOf(steps, call("capset")),
        ambient: indexOf(steps, call("prctl", "PR_CAP_AMBIENT")),
        death: steps.findLastIndex(call("prctl", "PR_SET_PDEATHSIG")),
        seccomp: indexOf(steps, call("seccomp")),
        exec: indexOf(steps, call("execve")),
      };
    };
    const names = (record: Record<string, number>) =>
      Object.entries(record)
        .sort((a, b) => a[1] - b[1])
        .map(([name]) => name);
    const head = ["join", "unshare", "separate", "pivot", "bounding"];
    const tail = ["groups", "user", "capset", "ambient", "death"];
    expect(names(order(true))).toEqual([...head, ...tail, "seccomp", "exec"]);
    expect(names(order(false))).toEqual([...head, "seccomp", ...tail, "exec"]);
  });

  test("closes all descriptors of the host between pivot_root and the working directory", () => {
    const steps = child();
    const pivot = indexOf(steps, call("pivot_root"));
    const rest = steps.slice(pivot).map((step) => step.call);
    expect(rest.slice(0, 4)).toEqual(["pivot_root", "umount2", "chdir", "close_range"]);
    const registers = new Set(
      steps
        .slice(pivot + 4)
        .flatMap((step) => (step.result === undefined ? [] : [step.result.index])),
    );
    for (const step of steps.slice(pivot + 4)) {
      for (const argument of step.args) {
        if (typeof argument !== "object" || argument.kind !== "register") continue;
        expect(argument.index === 0 || registers.has(argument.index)).toBe(true);
      }
    }
  });

  test("names no path of the host after pivot_root", () => {
    const steps = child();
    const after = steps.slice(indexOf(steps, call("pivot_root")));
    const plain = (_: string, value: unknown) => (typeof value === "bigint" ? `${value}` : value);
    expect(JSON.stringify(after, plain)).not.toContain("/host/");
  });

  test("attaches every mount of the container to a descriptor, never to a path", () => {
    const steps = child();
    const moves = steps.filter(call("move_mount"));
    // The first is the root itself, on the host's own path.
    expect(moves[0]?.args[3]).toBe("/host/root");
    expect(moves.length).toBeGreaterThan(4);
    for (const move of moves.slice(1)) {
      expect(move.args[2]).toMatchObject({ kind: "register" });
      expect(move.args[3]).toBe("");
      expect(shows(move.args[4], "MOVE_MOUNT_T_EMPTY_PATH")).toBe(true);
    }
    expect(steps.filter(call("mount")).map((step) => step.args[1])).toEqual(["/"]);
  });

  test("looks up every path of the container with the kernel's help", () => {
    const steps = child();
    const root = indexOf(steps, call("move_mount"));
    const before = steps.slice(root + 1, indexOf(steps, call("pivot_root")));
    for (const step of before.filter(call("openat2"))) {
      expect(step.args[0]).toMatchObject({ kind: "register" });
      expect(step.args[2]).toMatchObject({ text: expect.stringContaining("RESOLVE_IN_ROOT") });
    }
    const paths = before.filter((step) => step.call === "openat");
    for (const step of paths) expect(step.args[1]).toBe(".");
  });

  test("resolves destinations that climb to what they mean inside the root", () => {
    const segment = fc.constantFrom("a", "b", "..", ".", "", "c.d");
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 6 }), (segments) => {
        const destination = `/x/${segments.join("/")}/y`;
        const mounts = [{ destination, type: "tmpfs", source: "tmpfs", options: [] }];
        const names = child(withSpec({ mounts }))
          .filter((step) => ["openat2", "mkdirat"].includes(step.call))
          .map((step) => String(step.args[1]));
        expect(names.filter((name) => name.split("/").includes(".."))).toEqual([]);
        expect(names.filter((name) => name.startsWith("/"))).toEqual([]);
      }),
    );
  });

  test("jumps only forward, and never out of its phase", () => {
    const tape = compileTape({
      ...REQUEST,
      io: { kind: "foreground", tty: true, interactive: true },
      init: true,
    });
    for (const phase of [tape.before, tape.child, tape.after]) {
      phase.forEach((step, index) => {
        expect(index + Math.max(step.skipOnOk, step.skipOnTolerated)).toBeLessThan(phase.length);
      });
    }
  });

  test("cleans up the cgroups, then what is to be removed, the state last", () => {
    const { after } = compileTape(REQUEST);
    expect(after.map((step) => step.args.find((it) => typeof it === "string"))).toEqual([
      "/sys/fs/cgroup/memory/tsimg/x",
      "/host/upper",
      "/run/tsimg/x",
    ]);
    expect(after[0]?.retryBusy).toBe(true);
  });

  test("tries each directory of PATH once, and a name with a slash as it is", () => {
    const tried = (...args: string[]) => {
      const env = ["PATH=/a:/b::relative:/a"];
      const files = child(withSpec({ process: { ...SPEC.process, args, env } }))
        .filter(call("execve"))
        .map((step) => String(step.args[0]));
      return [...new Set(files)];
    };
    expect(tried("sh")).toEqual(["/a/sh", "/b/sh"]);
    expect(tried("./sh")).toEqual(["./sh"]);
  });

  test.each([
    [
      "a user namespace without maps",
      { linux: { ...SPEC.linux, namespaces: [{ type: "mount" }, { type: "user" }] } },
    ],
    ["no mount namespace", { linux: { ...SPEC.linux, namespaces: [{ type: "pid" }] } }],
    [
      "a relative destination",
      { mounts: [{ destination: "x", type: "tmpfs", source: "", options: [] }] },
    ],
    [
      "a mount over the root",
      { mounts: [{ destination: "/a/..", type: "tmpfs", source: "", options: [] }] },
    ],
    [
      "a bind inside /proc",
      { mounts: [{ destination: "/proc/sys", type: "bind", source: "/x", options: [] }] },
    ],
    ["no command", { process: { ...SPEC.process, args: [] } }],
    [
      "an unknown limit",
      { process: { ...SPEC.process, rlimits: [{ type: "RLIMIT_X", soft: 1, hard: 1 }] } },
    ],
  ] as const)("refuses %s", (_, change) => {
    expect(() => compileTape(withSpec(change as Partial<Spec>))).toThrow();
  });

  test("needs registers for the deepest branch, not for the number of mounts", () => {
    const mounts = Array.from({ length: 500 }, (_, index) => ({
      destination: `/deep/${index}/target`,
      type: "bind",
      source: `/host/${index}`,
      options: ["rbind"],
    }));
    const image = encodeTape(compileTape(withSpec({ mounts })), "x86_64");
    expect(image.length).toBeGreaterThan(100_000);
  });

  test("explains itself like strace", () => {
    const explained = explainTape(compileTape(REQUEST)).split("\n");
    const lines = (pattern: RegExp) => explained.filter((line) => pattern.test(line));
    expect(lines(/cgroup "|clone3|limit/)).toMatchInlineSnapshot(`
      [
        "mkdirat(AT_FDCWD, "/sys/fs/cgroup/memory/tsimg", 0755)  [EEXIST: go on]  # making cgroup "/sys/fs/cgroup/memory/tsimg"",
        "mkdirat(AT_FDCWD, "/sys/fs/cgroup/memory/tsimg/x", 0755)  [EEXIST: go on]  # making cgroup "/sys/fs/cgroup/memory/tsimg/x"",
        "$8 = openat(AT_FDCWD, "/sys/fs/cgroup/memory/tsimg/x/memory.limit_in_bytes", O_WRONLY|O_CLOEXEC)  # --memory 1: writing 1 to "/sys/fs/cgroup/memory/tsimg/x/memory.limit_in_bytes"",
        "write($8, "1", 1)  # --memory 1: writing 1 to "/sys/fs/cgroup/memory/tsimg/x/memory.limit_in_bytes"",
        "close($8)  # --memory 1: writing 1 to "/sys/fs/cgroup/memory/tsimg/x/memory.limit_in_bytes"",
        "clone3({flags=CLONE_NEWPID|CLONE_NEWNS|CLONE_NEWNET|CLONE_NEWUTS, exit_signal=SIGCHLD})",
        "$8 = openat(AT_FDCWD, "/sys/fs/cgroup/memory/tsimg/x/tasks", O_WRONLY|O_CLOEXEC)  [ENOENT: go on; ok: skip 1]  # joining cgroup "/sys/fs/cgroup/memory/tsimg/x"",
        "  $8 = openat(AT_FDCWD, "/sys/fs/cgroup/memory/tsimg/x/cgroup.procs", O_WRONLY|O_CLOEXEC)  # joining cgroup "/sys/fs/cgroup/memory/tsimg/x"",
        "write($8, "0", 1)  # joining cgroup "/sys/fs/cgroup/memory/tsimg/x"",
        "close($8)  # joining cgroup "/sys/fs/cgroup/memory/tsimg/x"",
        "prlimit64(0, RLIMIT_NOFILE, {soft=1024, hard=4096}, 0)  [EPERM: warn, go on]  # setting RLIMIT_NOFILE to 1024:4096",
        "unlinkat(AT_FDCWD, "/sys/fs/cgroup/memory/tsimg/x", AT_REMOVEDIR)  [ENOENT: go on; EBUSY: retry]  # removing cgroup "/sys/fs/cgroup/memory/tsimg/x"",
      ]
    `);
    expect(lines(/on "\/data\/in"|"\/data/)).toMatchInlineSnapshot(`
      [
        "$9 = open_tree(AT_FDCWD, "/host/data", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_RECURSIVE)  # mounting "/host/data" on "/data/in"",
        "mount_setattr($9, "", AT_EMPTY_PATH|AT_RECURSIVE, {set=MOUNT_ATTR_RDONLY}, 32)  # mounting "/host/data" on "/data/in"",
        "$10 = openat2($8, "data/in", {flags=O_PATH|O_CLOEXEC, resolve=RESOLVE_IN_ROOT}, 24)  [ENOENT, ENOTDIR: go on; ok: skip 12]  # looking for "/data/in" in the container",
        "  $11 = openat($9, ".", O_PATH|O_DIRECTORY|O_CLOEXEC)  [ENOTDIR: skip 7]  # asking whether "/data/in" is to be a directory",
        "    $10 = openat2($8, "data", {flags=O_PATH|O_DIRECTORY|O_CLOEXEC, resolve=RESOLVE_IN_ROOT}, 24)  [ENOENT: go on; ok: skip 2]  # making directory "/data" in the container",
        "      mkdirat($8, "data", 0755)  # making directory "/data" in the container",
        "      $10 = openat2($8, "data", {flags=O_PATH|O_DIRECTORY|O_CLOEXEC, resolve=RESOLVE_IN_ROOT|RESOLVE_NO_SYMLINKS}, 24)  # making directory "/data" in the container",
        "    $10 = openat2($8, "data/in", {flags=O_PATH|O_DIRECTORY|O_CLOEXEC, resolve=RESOLVE_IN_ROOT}, 24)  [ENOENT: go on; ok: skip 2]  # making directory "/data/in" in the container",
        "      mkdirat($10, "in", 0755)  # making directory "/data/in" in the container",
        "      $10 = openat2($10, "in", {flags=O_PATH|O_DIRECTORY|O_CLOEXEC, resolve=RESOLVE_IN_ROOT|RESOLVE_NO_SYMLINKS}, 24)  # making directory "/data/in" in the container",
        "    $10 = openat2($8, "data", {flags=O_PATH|O_DIRECTORY|O_CLOEXEC, resolve=RESOLVE_IN_ROOT}, 24)  [ENOENT: go on; ok: skip 2]  # making directory "/data" in the container",
        "      mkdirat($8, "data", 0755)  # making directory "/data" in the container",
        "      $10 = openat2($8, "data", {flags=O_PATH|O_DIRECTORY|O_CLOEXEC, resolve=RESOLVE_IN_ROOT|RESOLVE_NO_SYMLINKS}, 24)  # making directory "/data" in the container",
        "    $10 = openat2($8, "data/in", {flags=O_CREAT|O_NONBLOCK|O_NOCTTY|O_CLOEXEC, mode=0644, resolve=RESOLVE_IN_ROOT}, 24)  # making file "/data/in" in the container to mount on",
        "move_mount($9, "", $10, "", MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH)  # mounting "/host/data" on "/data/in"",
      ]
    `);
    expect(lines(/exec/)).toMatchInlineSnapshot(`
      [
        "execve("/usr/bin/sh", ["sh", "-c", "true"], ["PATH=/usr/bin:/bin", "HOME=/"])  [ENOENT, ENOTDIR, EACCES: go on]  # exec: "sh"",
        "execve("/bin/sh", ["sh", "-c", "true"], ["PATH=/usr/bin:/bin", "HOME=/"])  [ENOENT, ENOTDIR, EACCES: go on]  # exec: "sh"",
        "faccessat(AT_FDCWD, "/usr/bin/sh", F_OK)  [any error: skip 3]  # exec: "sh"",
        "  faccessat(AT_FDCWD, "/usr/bin/sh", X_OK)  [any error: skip 2]  # exec: "sh"",
        "    execve("/usr/bin/sh", ["sh", "-c", "true"], ["PATH=/usr/bin:/bin", "HOME=/"])  [EACCES: go on]  # exec: "sh"",
        "    execve("/usr/bin/sh", ["sh", "-c", "true"], ["PATH=/usr/bin:/bin", "HOME=/"])  # exec: "sh"",
        "faccessat(AT_FDCWD, "/bin/sh", F_OK)  [any error: skip 3]  # exec: "sh"",
        "  faccessat(AT_FDCWD, "/bin/sh", X_OK)  [any error: skip 2]  # exec: "sh"",
        "    execve("/bin/sh", ["sh", "-c", "true"], ["PATH=/usr/bin:/bin", "HOME=/"])  [EACCES: go on]  # exec: "sh"",
        "    execve("/bin/sh", ["sh", "-c", "true"], ["PATH=/usr/bin:/bin", "HOME=/"])  # exec: "sh"",
        "fail(0)  # exec: "sh": executable file not found in $PATH",
      ]
    `);
    expect(explained.filter((line) => line.startsWith("#"))).toHaveLength(3);
  });
});
