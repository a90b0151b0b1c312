import { describe, expect, test } from "vitest";
import { CAPABILITIES } from "../../../src/runtime/capabilities.ts";
import { createSpec, type SpecInput, type StartConfig } from "../../../src/runtime/create-spec.ts";
import type { RunFlags } from "../../../src/runtime/run-flags.ts";

const ID = "0123456789abcdef".repeat(4);
const FLAGS: RunFlags = {
  rm: false,
  detach: false,
  tty: false,
  interactive: false,
  env: [],
  envFile: [],
  volumes: [],
  tmpfs: [],
  readOnly: false,
  privileged: false,
  capAdd: [],
  capDrop: [],
  init: false,
  securityOpt: [],
  storage: {},
  command: [],
};
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
  devices: [
    { path: "/dev/null", type: "c", major: 1, minor: 3 },
    { path: "/dev/kvm", type: "c", major: 10, minor: 232, fileMode: 0o660, uid: 0, gid: 104 },
    { path: "/dev/pts/0", type: "c", major: 136, minor: 0 },
    { path: "/dev/console", type: "c", major: 5, minor: 1 },
  ],
  environment: {},
  networkFiles: { hosts: "10.0.0.1 peer\n", resolvConf: "nameserver 10.0.0.2\n" },
};
const create = (
  flags: Partial<RunFlags> = {},
  config: Partial<StartConfig> = {},
  more: Partial<SpecInput> = {},
) =>
  createSpec({
    config: { ...CONFIG, ...config },
    flags: { ...FLAGS, ...flags },
    containerId: ID,
    rootfs: "/run/root",
    accounts: {},
    envFiles: [],
    stateDirectory: "/run/state",
    volumesDirectory: "/store/volumes",
    host: HOST,
    ...more,
  });
const mountAt = (created: ReturnType<typeof create>, destination: string) =>
  created.spec.mounts.filter((mount) => mount.destination === destination);

describe("the command", () => {
  test.each([
    [{}, {}, ["/entry", "--flag", "serve", "now"]],
    [{ command: ["stop"] }, {}, ["/entry", "--flag", "stop"]],
    [{ entrypoint: "/bin/sh" }, {}, ["/bin/sh"]],
    [{ entrypoint: "/bin/sh", command: ["-c", "x"] }, {}, ["/bin/sh", "-c", "x"]],
    [{ entrypoint: "", command: ["ls"] }, {}, ["ls"]],
    [{ command: ["ls"] }, { Entrypoint: [] }, ["ls"]],
  ])("with flags %j and image %j", (flags, config, args) => {
    expect(create(flags, config).spec.process.args).toEqual(args);
  });

  test("must be there", () => {
    expect(() => create({}, { Entrypoint: [], Cmd: [] })).toThrow("no command specified");
    expect(() => create({ entrypoint: "" })).toThrow("no command specified");
    expect(() => create({ command: ["a\0b"] }, { Entrypoint: [] })).toThrow(/NUL/);
  });

  test("starts where the flag or the image says, never outside the root", () => {
    expect(create().spec.process.cwd).toBe("/");
    expect(create({}, { WorkingDir: "srv/../../../app/" }).spec.process.cwd).toBe("/app");
    expect(create({ workdir: "/tmp" }, { WorkingDir: "/srv" }).spec.process.cwd).toBe("/tmp");
    expect(() => create({ workdir: "tmp" })).toThrow(/not an absolute path/);
  });
});

describe("names", () => {
  test("the host name is the id's beginning, the flag's, or the host's on its network", () => {
    expect(create().spec.hostname).toBe(ID.slice(0, 12));
    expect(create({ hostname: "web-1" }).spec.hostname).toBe("web-1");
    expect(create({ network: "host" }).spec.hostname).toBe("the-host");
    for (const hostname of ["", "a b", "-x", "x".repeat(65), "a\nb"]) {
      expect(() => create({ hostname })).toThrow(/invalid hostname/);
    }
  });

  test("the files in /etc fit the network, and give way to a volume", () => {
    const none = create();
    expect(none.files.map((file) => file.destination)).toEqual([
      "/etc/resolv.conf",
      "/etc/hostname",
      "/etc/hosts",
    ]);
    expect(none.files[1]).toEqual({
      path: "/run/state/hostname",
      content: `${ID.slice(0, 12)}\n`,
      destination: "/etc/hostname",
    });
    expect(none.files[0]?.content).not.toContain("nameserver");
    expect(create({ network: "host" }).files[0]?.content).toBe("nameserver 10.0.0.2\n");
    const own = create({ volumes: ["/my/hosts:/etc/hosts:ro"] });
    expect(own.files).toHaveLength(2);
    expect(mountAt(own, "/etc/hosts").map((mount) => mount.source)).toEqual(["/my/hosts"]);
  });

  test("the network is none or the host's", () => {
    const types = (network?: string) =>
      create(network === undefined ? {} : { network }).spec.linux.namespaces.map((one) => one.type);
    expect(types()).toEqual(["pid", "mount", "ipc", "uts", "cgroup", "network"]);
    expect(types("host")).not.toContain("network");
    expect(() => create({ network: "bridge" })).toThrow(/unknown network "bridge"/);
  });
});

describe("privileges", () => {
  test("a plain container is masked, filtered and keeps fourteen capabilities", () => {
    const { linux, process } = create().spec;
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
    const { capabilities } = create({ user: "1000" }).spec.process;
    expect(capabilities?.effective).toEqual([]);
    expect(capabilities?.permitted).toEqual([]);
    expect(capabilities?.bounding).toHaveLength(14);
  });

  test("a privileged container has the host's devices and nothing in its way", () => {
    const created = create({ privileged: true });
    const { linux, process } = created.spec;
    expect(linux.maskedPaths).toBeUndefined();
    expect(linux.readonlyPaths).toBeUndefined();
    expect(linux.seccomp).toBeUndefined();
    expect(linux.devices?.map((device) => device.path)).toEqual(["/dev/kvm"]);
    expect(linux.resources?.devices).toEqual([{ allow: true, access: "rwm" }]);
    expect(process.capabilities?.effective).toEqual(CAPABILITIES);
    expect(mountAt(created, "/sys")[0]?.options).toContain("rw");
  });

  test("security options set no_new_privs and choose the filter", () => {
    const opt = (...securityOpt: string[]) => create({ securityOpt }).spec;
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
    expect(own.spec.linux.seccomp?.defaultAction).toBe("SCMP_ACT_LOG");
  });
});

describe("mounts", () => {
  test("come parents first, the user's last and over the defaults", () => {
    const created = create({
      volumes: ["/a:/data/deep/er", "named:/data"],
      tmpfs: ["/dev/shm:size=1g"],
    });
    const order = created.spec.mounts.map((mount) => mount.destination);
    expect(order[0]).toBe("/proc");
    expect(order.slice(-3)).toEqual(["/data", "/dev/shm", "/data/deep/er"]);
    expect(mountAt(created, "/dev/shm").map((mount) => mount.options.at(-1))).toEqual(["size=1g"]);
    expect(created.volumes.map((volume) => volume.path)).toEqual([
      "/a",
      "/store/volumes/named/_data",
    ]);
  });

  test("a /dev of one's own keeps away what would be mounted below it", () => {
    const order = create({ volumes: ["/dev:/dev"] }).spec.mounts.map((one) => one.destination);
    expect(order.filter((path) => path.startsWith("/dev"))).toEqual(["/dev"]);
  });

  test("two for one place are refused", () => {
    expect(() => create({ volumes: ["/a:/x"], tmpfs: ["/x/"] })).toThrow('two mounts for "/x"');
  });
});

test("limits become resources", () => {
  const { resources, cgroupsPath } = create({
    memory: "64m",
    cpus: "1.5",
    cpuShares: "512",
    pidsLimit: "-1",
    cpusetCpus: "0",
  }).spec.linux;
  expect(cgroupsPath).toBe(`/tsimg/${ID}`);
  expect(resources?.memory).toEqual({ limit: 64 * 2 ** 20, swap: 128 * 2 ** 20 });
  expect(resources?.cpu).toEqual({ shares: 512, quota: 150_000, period: 100_000, cpus: "0" });
  expect(resources?.pids).toBeUndefined();
  expect(() => create({ memory: "5m" })).toThrow(/6m/);
});

test("a spec is plain JSON", () => {
  const { spec } = create({ privileged: true, tty: true });
  expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
});
