import { describe, expect, test } from "vitest";
import { CAPABILITIES } from "../../../src/runtime/capabilities.ts";
import { createSpec, type SpecInput, type StartConfig } from "../../../src/runtime/create-spec.ts";
import { parseNetworkFlags } from "../../../src/runtime/network/network-request.ts";
import type { RunFlags } from "../../../src/runtime/run-flags.ts";
import { NO_FLAGS } from "./no-flags.ts";

const ID = "0123456789abcdef".repeat(4);
const CONFIG: StartConfig = {
  User: "",
  Env: ["LANG=C"],
  Entrypoint: ["/entry", "--flag"],
  Cmd: ["serve", "now"],
  WorkingDir: "",
};
const HOST: SpecInput["host"] = {
  arch: "amd64",
  hostname: "the-host",
  capabilities: CAPABILITIES,
  devicesLimited: true,
  kernel: "6.12.0",
  thermalPaths: ["/sys/devices/system/cpu/cpu0/thermal_throttle"],
  appArmor: { enabled: false, loaded: new Set(), loadable: false },
  lookupDevices: () => [
    { path: "/dev/null", type: "c", major: 1, minor: 3 },
    { path: "/dev/kvm", type: "c", major: 10, minor: 232, fileMode: 0o660, uid: 0, gid: 104 },
    { path: "/dev/pts/0", type: "c", major: 136, minor: 0 },
    { path: "/dev/console", type: "c", major: 5, minor: 1 },
  ],
  environment: {},
  groups: [{ containerID: 0, hostID: 0, size: 2 ** 32 - 1 }],
};
const create = (
  flags: Partial<RunFlags> = {},
  config: Partial<StartConfig> = {},
  more: Partial<SpecInput> = {},
) =>
  createSpec({
    config: { ...CONFIG, ...config },
    flags: { ...NO_FLAGS, ...flags },
    network: parseNetworkFlags({ ...NO_FLAGS, ...flags }),
    containerId: ID,
    rootfs: "/run/root",
    accounts: {},
    envFiles: [],
    filesDirectory: "/run/state",
    mounts: [],
    host: HOST,
    ...more,
  });
const mountAt = (created: ReturnType<typeof create>, destination: string) =>
  created.mounts.filter((mount) => mount.destination === destination);

describe("the command", () => {
  test.each([
    [{}, {}, ["/entry", "--flag", "serve", "now"]],
    [{ command: ["stop"] }, {}, ["/entry", "--flag", "stop"]],
    [{ entrypoint: "/bin/sh" }, {}, ["/bin/sh"]],
    [{ entrypoint: "/bin/sh", command: ["-c", "x"] }, {}, ["/bin/sh", "-c", "x"]],
    [{ entrypoint: "", command: ["ls"] }, {}, ["ls"]],
    [{ command: ["ls"] }, { Entrypoint: [] }, ["ls"]],
  ])("with flags %j and image %j", (flags, config, args) => {
    expect(create(flags, config).process.args).toEqual(args);
  });

  test("must be there", () => {
    expect(() => create({}, { Entrypoint: [], Cmd: [] })).toThrow("no command specified");
    expect(() => create({ entrypoint: "" })).toThrow("no command specified");
    expect(() => create({ command: ["a\0b"] }, { Entrypoint: [] })).toThrow(/NUL/);
  });

  test("starts where the flag or the image says, never outside the root", () => {
    expect(create().process.cwd).toBe("/");
    expect(create({}, { WorkingDir: "srv/../../../app/" }).process.cwd).toBe("/app");
    expect(create({ workdir: "/tmp" }, { WorkingDir: "/srv" }).process.cwd).toBe("/tmp");
    expect(() => create({ workdir: "tmp" })).toThrow(/not an absolute path/);
  });
});

describe("names", () => {
  test("the host name is the id's beginning, the flag's, or the host's on its network", () => {
    expect(create().hostname).toBe(ID.slice(0, 12));
    expect(create({ hostname: "web-1" }).hostname).toBe("web-1");
    expect(create({ network: ["host"] }).hostname).toBe("the-host");
    for (const hostname of ["", "a b", "-x", "x".repeat(65), "a\nb"]) {
      expect(() => create({ hostname })).toThrow(/host ?name/);
    }
  });

  test("the files in /etc are the container's own, and give way to a volume", () => {
    expect(mountAt(create(), "/etc/hosts").map(({ source }) => source)).toEqual([
      "/run/state/hosts",
    ]);
    const mounts = [
      { destination: "/etc/hosts", type: "bind", source: "/mine", options: ["rbind"] },
    ];
    const own = create({}, {}, { mounts });
    expect(mountAt(own, "/etc/hosts").map(({ source }) => source)).toEqual(["/mine"]);
  });

  test("the namespaces are the container's own, the host's or another's", () => {
    const types = (flags: Partial<RunFlags>) =>
      create(flags).linux.namespaces.map(({ type, path }) => (path === undefined ? type : path));
    const own = ["pid", "mount", "ipc", "uts", "cgroup", "network"];
    expect(types({})).toEqual(own);
    expect(types({ network: ["none"] })).toEqual(own);
    const hosts = { network: ["host"], pid: "host", ipc: "host", uts: "host", cgroupns: "host" };
    expect(types(hosts)).toEqual(["mount"]);
    expect(types({ time: "boottime=10" })).toEqual([...own, "time"]);
    expect(types({ pid: "container:a", network: ["ns:/run/netns/b"] })).toEqual([
      ...["/proc/0/ns/pid", "mount", "ipc", "uts", "cgroup", "/run/netns/b"],
    ]);
  });
});

describe("privileges", () => {
  test("a plain container is masked, filtered and keeps fourteen capabilities", () => {
    const { linux, process } = create();
    expect(linux.maskedPaths).toContain("/proc/kcore");
    expect(linux.readonlyPaths).toContain("/proc/sys");
    expect(linux.seccomp?.defaultAction).toBe("SCMP_ACT_ERRNO");
    expect(linux.devices).toBeUndefined();
    expect(linux.resources?.devices?.[0]).toEqual({ allow: false, access: "rwm" });
    expect(process.capabilities?.effective).toHaveLength(14);
    expect(process.capabilities?.ambient).toEqual([]);
    expect(process.noNewPrivileges).toBe(false);
  });

  test("a user other than root holds no capability, but may still gain the bounding ones", () => {
    const { capabilities } = create({ user: "1000" }).process;
    expect(capabilities?.effective).toEqual([]);
    expect(capabilities?.permitted).toEqual([]);
    expect(capabilities?.bounding).toHaveLength(14);
  });

  test("a privileged container has the host's devices and nothing in its way", () => {
    const created = create({ privileged: true });
    const { linux, process } = created;
    expect(linux.maskedPaths).toEqual([]);
    expect(linux.readonlyPaths).toEqual([]);
    expect(linux.seccomp).toBeUndefined();
    expect(linux.devices?.map((device) => device.path)).toEqual(["/dev/kvm"]);
    expect(linux.resources?.devices).toEqual([{ allow: true, access: "rwm" }]);
    expect(process.capabilities?.effective).toEqual(CAPABILITIES);
    expect(mountAt(created, "/sys")[0]?.options).toContain("rw");
  });

  test("security options set no_new_privs and choose the filter", () => {
    const opt = (...securityOpt: string[]) => create({ securityOpt });
    expect(opt("no-new-privileges").process.noNewPrivileges).toBe(true);
    expect(opt("no-new-privileges:true").process.noNewPrivileges).toBe(true);
    expect(opt("seccomp=unconfined").linux.seccomp).toBeUndefined();
    expect(() => opt("apparmour=mine")).toThrow(/unknown --security-opt/);
    const profile = { defaultAction: "SCMP_ACT_LOG", syscalls: [] };
    const own = create(
      { securityOpt: ["seccomp=/p.json"] },
      {},
      {
        seccompProfile: JSON.stringify(profile),
      },
    );
    expect(own.linux.seccomp?.defaultAction).toBe("SCMP_ACT_LOG");
  });
});

describe("mounts", () => {
  const bind = (destination: string) => {
    return { destination, type: "bind", source: "/a", options: ["rbind"] };
  };

  test("of the user come last and over the defaults", () => {
    const mounts = [bind("/data"), bind("/dev/shm"), bind("/data/deep/er")];
    const order = create({}, {}, { mounts }).mounts.map((mount) => mount.destination);
    expect(order[0]).toBe("/proc");
    expect(order.slice(-3)).toEqual(["/data", "/dev/shm", "/data/deep/er"]);
    expect(order.filter((path) => path === "/dev/shm")).toHaveLength(1);
  });

  test("a /dev of one's own keeps away what would be mounted below it", () => {
    const order = create({}, {}, { mounts: [bind("/dev")] }).mounts.map((one) => one.destination);
    expect(order.filter((path) => path.startsWith("/dev"))).toEqual(["/dev"]);
  });
});

test("limits become resources", () => {
  const { resources, cgroupsPath } = create({
    memory: "64m",
    cpus: "1.5",
    cpuShares: "512",
    pidsLimit: "-1",
    cpusetCpus: "0",
  }).linux;
  expect(cgroupsPath).toBe(`/tsimg/${ID}`);
  expect(resources?.memory).toEqual({ limit: 64 * 2 ** 20, swap: 128 * 2 ** 20 });
  expect(resources?.cpu).toEqual({ shares: 512, quota: 150_000, period: 100_000, cpus: "0" });
  expect(resources?.pids).toBeUndefined();
  expect(() => create({ memory: "5m" })).toThrow(/6m/);
});

test("a spec is plain JSON", () => {
  const spec = create({ privileged: true, tty: true });
  expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
});
