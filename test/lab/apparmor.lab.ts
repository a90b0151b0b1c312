import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  appArmorProfile,
  loadDefaultProfile,
  mustLoadDefault,
  readAppArmor,
} from "../../src/runtime/apparmor.ts";
import { DEFAULT_PROFILE, DEFAULT_PROFILE_MARK } from "../../src/runtime/apparmor-profile.ts";
import { CAPABILITIES } from "../../src/runtime/capabilities.ts";
import { namespacesOf } from "../../src/runtime/container/exec-namespaces.ts";
import { setAppArmor } from "../../src/runtime/tape/apparmor.ts";
import { compileTape } from "../../src/runtime/tape/compile.ts";
import { compileExec } from "../../src/runtime/tape/compile-exec.ts";
import { encodeTape } from "../../src/runtime/tape/encode.ts";
import { Steps } from "../../src/runtime/tape/steps.ts";
import { Box, until } from "../system/launcher-box.ts";
import { patience } from "../system/support/slowness.ts";

const DIST = join(import.meta.dirname, "../../dist");

/** Runs a script as root with every capability and nothing masked: what is denied, AppArmor denies. */
function runUnder(profile: string | undefined, script: string) {
  using box = new Box(DIST);
  writeTape(box, profile, script);
  return spawnSync(box.launcher, [box.tape], { encoding: "utf8", timeout: patience(15_000) });
}

function writeTape(box: Box, profile: string | undefined, script: string): void {
  const asked = box.request({
    args: ["sh", "-c", script],
    mounts: [{ destination: "/host", type: "bind", source: "/", options: ["rbind", "ro"] }],
    process: {
      capabilities: {
        bounding: CAPABILITIES,
        effective: CAPABILITIES,
        permitted: CAPABILITIES,
        inheritable: [],
        ambient: [],
      },
    },
  });
  const spec = {
    ...asked.spec,
    mounts: asked.spec.mounts
      .filter(({ destination }) => destination !== "/sys/fs/cgroup")
      .map((mount) => ({ ...mount, options: mount.options.filter((option) => option !== "ro") })),
    linux: { ...asked.spec.linux, maskedPaths: [], readonlyPaths: [] },
  };
  const tape = compileTape({ ...asked, spec });
  const label = new Steps();
  if (profile !== undefined) setAppArmor(label, profile);
  const labelled = { ...tape, child: [...label.list, ...tape.child] };
  writeFileSync(box.tape, encodeTape(labelled, "x86_64"));
}

/** Whether a container is gone some time after its launcher was killed. */
async function diesWithLauncher(profile: string | undefined): Promise<boolean> {
  using box = new Box(DIST);
  writeTape(box, profile, "echo started; exec sleep 1000");
  const launcher = spawn(box.launcher, [box.tape], { stdio: ["ignore", "pipe", "inherit"] });
  await once(launcher.stdout, "data");
  const children = `/proc/${launcher.pid}/task/${launcher.pid}/children`;
  const pid = Number(readFileSync(children, "utf8"));
  launcher.kill("SIGKILL");
  await once(launcher, "exit");
  const isThere = () => existsSync(`/proc/${pid}`);
  for (const end = Date.now() + patience(100); isThere() && Date.now() < end; ) await sleep(50);
  const lasts = isThere();
  if (lasts) process.kill(pid, "SIGKILL");
  return !lasts;
}

/** Each line does something and says whether it went well. */
const ATTEMPTS = `
  try() { name=$1; shift; if "$@" 2>/dev/null >/dev/null; then echo "$name ok"; else echo "$name denied"; fi; }
  put() { echo "$1" > "$2"; }
  mkdir -p /tmp/empty
  cat /proc/self/attr/apparmor/current
  try mount busybox mount -t tmpfs none /tmp/empty
  try kcore head -c 1 /proc/kcore
  try sysrq put h /proc/sysrq-trigger
  try domainname put lab /proc/sys/kernel/domainname
  try sem put "32000 1024000000 500 32000" /proc/sys/kernel/sem
  try forwarding put 0 /proc/sys/net/ipv4/ip_forward
  try irq put 1 /proc/irq/default_smp_affinity
  try ksm put 0 /sys/kernel/mm/ksm/run
  try firmware ls /sys/firmware/acpi/
  sock() { busybox chroot /host perl -e 'socket(my $s, $ARGV[0], $ARGV[1], 0) or exit 1' $1 $2; }
  try alg sock 38 5
  try vsock sock 40 1
  try unix sock 1 1
  try shmmax put 4096 /proc/sys/kernel/shmmax
  try comm put name /proc/self/comm
  try file put text /tmp/file
  try signal sh -c 'sleep 100 & kill $!'
`;

describe.skipIf(!readAppArmor().enabled)("AppArmor", () => {
  const unload = () =>
    spawnSync("apparmor_parser", ["-R", "-K"], { input: `profile ${DEFAULT_PROFILE} { }` });
  beforeAll(unload);
  afterAll(unload);

  it("has the default profile after loading it, and again after a replacement", () => {
    const before = readAppArmor();
    expect(before.loaded.has(DEFAULT_PROFILE)).toBe(false);
    const chosen = appArmorProfile({ kind: "default" }, false, before);
    expect([chosen, mustLoadDefault(chosen, before)]).toEqual([DEFAULT_PROFILE, true]);
    loadDefaultProfile();
    loadDefaultProfile();
    const after = readAppArmor();
    expect([...after.loaded]).toEqual(
      expect.arrayContaining([DEFAULT_PROFILE, DEFAULT_PROFILE_MARK]),
    );
    expect(mustLoadDefault(chosen, after)).toBe(false);
  });

  it("confines the program of a tape, and lets it do what docker's profile lets", () => {
    loadDefaultProfile();
    const lines = (profile: string | undefined) => {
      const { status, stdout, stderr } = runUnder(profile, ATTEMPTS);
      expect([status, stderr]).toEqual([0, ""]);
      return stdout.trim().split("\n");
    };
    const allowed = ["unix ok", "shmmax ok", "comm ok", "file ok", "signal ok"];
    const guarded = [
      ...["mount", "kcore", "sysrq", "domainname", "sem"],
      ...["forwarding", "irq", "ksm", "firmware", "alg", "vsock"],
    ];
    expect(lines(undefined)).toEqual([
      "unconfined",
      ...guarded.map((name) => `${name} ok`),
      ...allowed,
    ]);
    expect(lines(DEFAULT_PROFILE)).toEqual([
      `${DEFAULT_PROFILE} (enforce)`,
      ...guarded.map((name) => `${name} denied`),
      ...allowed,
    ]);
  });

  it("confines what enters a container, and containers that join others' processes", async () => {
    loadDefaultProfile();
    using box = new Box(DIST);
    using other = new Box(DIST);
    const container = box.spawn({ args: ["sleep", "1000"] });
    try {
      await until(() => existsSync(join(box.state, "started.json")));
      const pid = Number(box.record("started")["pid"]);
      const args = ["cat", "/proc/self/attr/apparmor/current"];
      const { spec, cgroup } = box.request({ args });
      const confined = { ...spec.process, apparmorProfile: DEFAULT_PROFILE };
      const enters = compileExec({
        process: confined,
        target: { pid },
        namespaces: namespacesOf(spec),
        procsFiles: cgroup.procsFiles,
        seccomp: undefined,
        io: { kind: "foreground", tty: false, interactive: false },
        removeAfter: [],
      });
      const request = other.request({ args });
      const namespaces = spec.linux.namespaces.map((one) =>
        one.type === "pid" ? { ...one, path: `/proc/${pid}/ns/pid` } : one,
      );
      const joins = compileTape({
        ...request,
        spec: { ...request.spec, process: confined, linux: { ...request.spec.linux, namespaces } },
      });
      for (const tape of [enters, joins]) {
        writeFileSync(other.tape, encodeTape(tape, "x86_64"));
        const { stdout, stderr } = spawnSync(other.launcher, [other.tape], { encoding: "utf8" });
        expect({ stdout, stderr }).toEqual({
          stdout: `${DEFAULT_PROFILE} (enforce)\n`,
          stderr: "",
        });
      }
    } finally {
      container.kill("SIGKILL");
      await once(container, "close");
    }
  });

  it("is no obstacle to dying with the launcher where a container has none", async () => {
    expect(await diesWithLauncher(undefined)).toBe(true);
  });

  // The kernel forgets PR_SET_PDEATHSIG at an execve that changes the profile.
  it.fails("lets a confined container die with its launcher", async () => {
    loadDefaultProfile();
    expect(await diesWithLauncher(DEFAULT_PROFILE)).toBe(true);
  });

  it("ends the start when the profile isn't loaded", () => {
    const { status, stderr } = runUnder("nobody-loaded-this", "echo started");
    expect(status).toBe(125);
    expect(stderr).toMatch(/AppArmor profile "nobody-loaded-this": no such file/);
    expect(stderr).toContain("load it first");
  });
});
