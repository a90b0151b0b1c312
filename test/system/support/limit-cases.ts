import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LimitStage } from "./limit-stage.ts";

const MEBIBYTE = 1024 * 1024;
/** Allocates 64 MiB and fills them. */
const ALLOCATE = "exec busybox dd if=/dev/zero of=/dev/null bs=64M count=1";
/** Starts processes until there can't be any more, and stays. */
const FORK = "(while :; do sleep 600 & done); exec sleep 600";
const waitFor = (file: string, then: string) =>
  `until [ -e /shared/${file} ]; do sleep 0.1; done; ${then}`;

/** What limits do to containers, the same on every version of cgroups and for every user. */
export function limitCases(open: () => Promise<LimitStage> = () => LimitStage.open()): void {
  let stage: LimitStage;
  beforeAll(async () => {
    stage = await open();
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());
  const groupText = (...names: Parameters<LimitStage["groupText"]>) => stage.groupText(...names);

  test("what takes more than --memory is killed: OOMKilled and status 137", async () => {
    const killed = { OOMKilled: true, ExitCode: 137, Status: "exited" };
    const limits = ["--memory", "16m", "--memory-swap", "16m"];
    const id = await stage.start(limits, ALLOCATE);
    expect((await stage.ended(id)).State).toMatchObject(killed);
    const enough = await stage.start(["--memory", "128m"], ALLOCATE);
    expect((await stage.ended(enough)).State).toMatchObject({ OOMKilled: false, ExitCode: 0 });
  });

  test("a busy loop under --cpus 0.2 gets a fifth of a CPU", async () => {
    const id = await stage.start(["--cpus", "0.2"], "while :; do :; done");
    const used = () => {
      const text = groupText(id, "cpuacct", "cpuacct.usage", "cpu.stat");
      const microseconds = /^usage_usec (\d+)$/m.exec(text)?.[1];
      return microseconds === undefined ? Number(text) : Number(microseconds) * 1000;
    };
    const from = { used: used(), at: performance.now() };
    await sleep(5000);
    const share = (used() - from.used) / 1e6 / (performance.now() - from.at);
    expect(share).toBeGreaterThan(0.17);
    expect(share).toBeLessThan(0.23);
    const [line = ""] = (await stage.tsimg.output(...STATS, id)).split("\n");
    const [name, percent = "", processes] = line.split(" ");
    expect([name, processes]).toEqual([id.slice(0, 12), "1"]);
    expect(Number.parseFloat(percent)).toBeGreaterThan(10);
    expect(Number.parseFloat(percent)).toBeLessThan(30);
    await stage.tsimg.output("rm", "-f", id);
  });

  test("a fork bomb stops at --pids-limit", async () => {
    const id = await stage.start(["--pids-limit", "10"], FORK);
    await stage.until(() => isRefusing(stage, id));
    expect(groupText(id, "pids", "pids.peak", "pids.peak")).toBe("10");
    const processes = (await stage.tsimg.output("top", id, "-e", "-o", "pid,comm")).trim();
    expect(processes.split("\n").length - 1).toBeGreaterThan(5);
    expect(
      processes
        .split("\n")
        .slice(1)
        .every((line) => / (sleep|sh)$/.test(line)),
    ).toBe(true);
    await stage.tsimg.output("rm", "-f", id);
  });

  test("pause stops a counter, unpause lets it go on, and a paused container can be removed", async () => {
    const id = await stage.start(
      [],
      "i=0; while :; do i=$((i+1)); echo $i >/shared/count; sleep 0.01; done",
    );
    const file = join(stage.shared, "count");
    const count = () => (existsSync(file) ? readFileSync(file, "latin1") : "");
    await stage.until(() => count() !== "");
    await stage.tsimg.output("pause", id);
    const stopped = count();
    await sleep(500);
    expect(count()).toBe(stopped);
    const twice = await stage.tsimg.run("pause", id);
    expect([twice.status, twice.stderr]).toEqual([1, expect.stringContaining("already paused")]);
    await stage.tsimg.output("unpause", id);
    await stage.until(() => count() !== stopped && count() !== "");
    const running = await stage.tsimg.run("unpause", id);
    expect([running.status, running.stderr]).toEqual([1, expect.stringContaining("not paused")]);
    await stage.tsimg.output("pause", id);
    await stage.tsimg.output("rm", "-f", id);
  });

  test("update changes the memory of a container that runs", async () => {
    const limits = ["--memory", "256m", "--memory-swap", "256m"];
    const id = await stage.start(limits, waitFor("allocate", ALLOCATE));
    const refused = await stage.tsimg.run("update", "--memory", "512m", id);
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining("memory-swap")]);
    await stage.tsimg.output("update", "--memory", "512m", "--memory-swap", "1g", id);
    const limit = () => groupText(id, "memory", "memory.limit_in_bytes", "memory.max");
    expect(limit()).toBe(String(512 * MEBIBYTE));
    await stage.tsimg.output("update", "--memory", "16m", "--memory-swap", "16m", id);
    expect(limit()).toBe(String(16 * MEBIBYTE));
    expect((await stage.inspect(id)).HostConfig).toMatchObject({ Memory: 16 * MEBIBYTE });
    writeFileSync(join(stage.shared, "allocate"), "");
    expect((await stage.ended(id)).State).toMatchObject({ OOMKilled: true, ExitCode: 137 });
  });

  test("update changes the number of processes of a container that runs", async () => {
    const id = await stage.start(["--pids-limit", "50"], waitFor("fork", FORK));
    await stage.tsimg.output("update", "--pids-limit", "6", id);
    writeFileSync(join(stage.shared, "fork"), "");
    await stage.until(() => isRefusing(stage, id));
    expect(groupText(id, "pids", "pids.peak", "pids.peak")).toBe("6");
    await stage.tsimg.output("update", "--pids-limit=-1", id);
    expect(groupText(id, "pids", "pids.max", "pids.max")).toBe("max");
    await stage.tsimg.output("rm", "-f", id);
  });

  test("--cpuset-cpus keeps to its CPUs", async () => {
    const allowed = "grep Cpus_allowed_list: /proc/self/status".replace("grep", "busybox grep");
    expect(await stage.shell(["--cpuset-cpus", "0"], allowed)).toMatch(/:\s+0\n$/);
  });

  test("--cgroup-parent, --oom-score-adj and --cgroupns take effect", async () => {
    const parent = `tsimg-test-${process.pid}/deep`;
    const script = "cat /proc/self/oom_score_adj; cat /proc/self/cgroup";
    const flags = ["--cgroup-parent", parent, "--oom-score-adj", "500", "--cgroupns", "host"];
    try {
      const said = await stage.shell([...flags, "--cpuset-cpus", "0"], script);
      expect(said).toMatch(/^500\n/);
      expect(said).toContain(`/${parent}/`);
    } finally {
      removeGroups(parent);
    }
    const refused = await stage.shell(["--cgroup-parent", "../up"], "true");
    expect(refused).toContain('invalid --cgroup-parent "../up"');
  });
}

const STATS = ["stats", "--no-stream", "--format", "{{.ID}} {{.CPUPerc}} {{.PIDs}}"];

/** Whether a process more was asked for than the limit lets be. */
function isRefusing(stage: LimitStage, id: string): boolean {
  return (
    Number(/^max (\d+)/m.exec(stage.groupText(id, "pids", "pids.events", "pids.events"))?.[1]) > 0
  );
}

/** Parents that a user names stay: they are the user's. */
function removeGroups(parent: string): void {
  const [top = ""] = parent.split("/");
  const script = `find /sys/fs/cgroup -depth -type d -path "*/${top}*" -exec rmdir {} +`;
  execFileSync("sh", ["-c", script]);
}
