import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { buildProbe } from "../../fixtures/probe/build-probe.ts";
import type { Argument, Bytes } from "../../src/runtime/tape/tape.ts";
import { escapeStand, reason } from "./support/escape-stand.ts";
import { all, type Change, rearranged, steps, without, withoutBefore } from "./support/weaken.ts";

const noFilter = without("loading the seccomp filter");

const REFUSED_CALLS = `
  acct add_key bpf clock_settime delete_module fanotify_init finit_module fsconfig fsmount fsopen
  init_module io_uring_setup kexec_file_load kexec_load keyctl mount mount_setattr move_mount
  open_by_handle_at open_tree perf_event_open pivot_root quotactl reboot request_key setns
  settimeofday swapoff swapon umount2 userfaultfd
`
  .trim()
  .split(/\s+/);

/** Effective, permitted and inheritable, the lower halves before the upper. */
function capabilitySets(change: (sets: Uint32Array) => void): Change {
  return rearranged(steps("setting the capabilities"), ([header = 0, data]) => {
    const sets = Uint32Array.from(new Uint32Array((data as Bytes).bytes.slice().buffer));
    change(sets);
    return [header, { ...(data as Bytes), bytes: new Uint8Array(sets.buffer) }] as Argument[];
  });
}

/** All that this process may hand on. */
const everyCapability = all(
  without("dropping CAP_"),
  capabilitySets((sets) => {
    const mask = BigInt(
      `0x${/^CapPrm:\s*(\w+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]}`,
    );
    const [lower, upper] = [Number(mask & 0xffff_ffffn), Number(mask >> 32n)];
    sets.set([lower, lower], 0);
    sets.set([upper, upper], 3);
  }),
);

/** The lists of version 1, or else the program of version 2. */
const unguardedDevices = existsSync("/sys/fs/cgroup/devices/tasks")
  ? withoutBefore(/^(allow|deny)/, "write")
  : withoutBefore(/^limiting the devices of /);

describe.skipIf(reason)(`what the kernel would do for a container ${reason ?? ""}`, () => {
  const stand = escapeStand();

  // CVE-2022-0492, and every escape by release_agent before it.
  test("a version 1 hierarchy's release_agent is out of reach", (context) => {
    if (!existsSync("/sys/fs/cgroup/memory/release_agent")) context.skip("no version 1 here");
    using box = stand.box();
    const script =
      "ls /sys/fs/cgroup/*/release_agent; mkdir -p /m; cd /bin;" +
      " ./busybox unshare -rm busybox mount -t cgroup -o memory cgroup /m;" +
      " busybox mount -t cgroup -o memory cgroup /m && : >>/m/release_agent && echo reached";
    const said = box.says(script);
    expect(said).not.toMatch(/^reached|^\/sys/m);
    expect(said.match(/not permitted|permission denied/gi)).toHaveLength(2);
    const change = all(noFilter, everyCapability, without("making a cgroup namespace"));
    expect(box.says(script, { change })).toMatch(/^reached$/m);
  });

  const writableSys = rearranged(
    steps('mounting sysfs on "/sys"', "fsmount"),
    ([fs = 0, how = 0]) => [fs, how, 0],
  );
  test.for([
    ["/proc/sys/kernel/core_pattern", without('making "/proc/sys" read-only', "move_mount")],
    ["/proc/sysrq-trigger", without('making "/proc/sysrq-trigger" read-only', "move_mount")],
    ["/proc/irq/default_smp_affinity", without('making "/proc/irq" read-only', "move_mount")],
    ["/sys/kernel/uevent_helper", writableSys],
    ["/sys/kernel/mm/transparent_hugepage/enabled", writableSys],
  ] as const)("%s can't be opened for writing", ([path, change], context) => {
    if (!existsSync(path)) context.skip("this kernel hasn't got it");
    using box = stand.box();
    const script = `: >>${path} && echo open`;
    expect(box.says(script)).toMatch(/read-only file system/i);
    expect(box.says(script, { change })).toBe("open\n");
  });

  test("what is masked has no content", () => {
    using box = stand.box();
    const script = "cat /proc/timer_list | head -c 5; ls /sys/firmware";
    expect(box.says(script)).toBe("");
    const change = all(without("masking", "move_mount"));
    expect(box.says(script, { change })).not.toBe("");
  });

  test("a node of the host's disk can be made, not opened", () => {
    using box = stand.box();
    writeFileSync(box.path("disk"), "the host's disk".padEnd(4096));
    const attach = ["--find", "--show", box.path("disk")];
    const disk = spawnSync("losetup", attach, { encoding: "utf8" }).stdout.trim();
    try {
      const { rdev } = statSync(disk);
      const make = `busybox rm -f /disk; busybox mknod /disk b ${rdev >> 8} ${rdev & 0xff}`;
      const script = `${make} && head -c 15 /disk`;
      for (const capAdd of [[], ["ALL"]]) {
        const said = box.says(script, { flags: { capAdd } });
        expect(said).toBe("head: /disk: Operation not permitted\n");
      }
      expect(box.says(script, { change: unguardedDevices })).toBe("the host's disk");
    } finally {
      spawnSync("losetup", ["--detach", disk]);
    }
  });

  test("calls that change the kernel or the machine are refused", async () => {
    using box = stand.box();
    await buildProbe(join(box.root, "bin"));
    const facts = (change?: Change) =>
      JSON.parse(box.attack({ args: ["probe"], change }).stdout) as Record<string, string>;
    const ours = facts();
    const weak = facts(all(noFilter, everyCapability));
    for (const call of REFUSED_CALLS) {
      expect([call, ours[`call.${call}`]]).toEqual([call, "EPERM"]);
      expect([call, weak[`call.${call}`]]).not.toEqual([call, "EPERM"]);
    }
  });

  // "shocker", 2014: the handle of a file of the host, on a file system that a bind mount shows.
  test("no file can be opened by its handle", () => {
    using box = stand.box();
    mkdirSync(box.path("shown"));
    writeFileSync(box.path("shown/file"), "");
    writeFileSync(box.path("secret"), "the host's secret");
    const handle = spawnSync(stand.attack, ["handle", box.path("secret")], { encoding: "utf8" });
    const [kind = "", bytes = ""] = handle.stdout.trim().split(" ");
    const args = ["attack", "by-handle", "/shown/file", kind, bytes];
    const binds = [[box.path("shown"), "/shown"]] as const;
    expect(box.attack({ args, binds }).stdout).toBe("open_by_handle_at: EPERM\n");
    // Either guard is enough.
    for (const change of [noFilter, everyCapability]) {
      expect(box.attack({ args, binds, change }).stdout).toBe("open_by_handle_at: EPERM\n");
    }
    const change = all(noFilter, everyCapability);
    expect(box.attack({ args, binds, change }).stdout).toBe("the host's secret\n");
  });

  // CVE-2022-24769
  test("a program marked with inheritable capabilities has none of them", () => {
    using box = stand.box();
    mkdirSync(join(box.root, "marked"));
    cpSync(join(box.root, "bin/busybox"), join(box.root, "marked/cat"));
    expect(spawnSync(stand.attack, ["mark", join(box.root, "marked/cat")]).status).toBe(0);
    const attack = { args: ["/marked/cat", "/proc/self/status"], flags: { user: "1000" } };
    expect(box.attack(attack).stdout).toMatch(/^CapEff:\t0{16}$/m);
    const change = capabilitySets((sets) => {
      sets[2] = 1 << 13;
    });
    expect(box.attack({ ...attack, change }).stdout).toMatch(/^CapEff:\t0000000000002000$/m);
  });
});
