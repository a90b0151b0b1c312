import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { isFreezing, isFrozen } from "../../../../src/runtime/cgroup/freeze.ts";
import { processesIn } from "../../../../src/runtime/cgroup/group-files.ts";
import { readUsage } from "../../../../src/runtime/cgroup/usage.ts";

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true });
});

/** Directories with files as the kernel would show them. */
function groups(content: Readonly<Record<string, Readonly<Record<string, string>>>>): string[] {
  const root = mkdtempSync(join(tmpdir(), "tsimg-usage-"));
  made.push(root);
  return Object.entries(content).map(([name, files]) => {
    const group = join(root, name);
    mkdirSync(group);
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(group, file)), { recursive: true });
      writeFileSync(join(group, file), text);
    }
    return group;
  });
}

const V2 = {
  "cpu.stat":
    "usage_usec 5000\nuser_usec 3000\nsystem_usec 2000\nnr_periods 9\nnr_throttled 4\nthrottled_usec 70\n",
  "memory.current": "10000\n",
  "memory.stat": "anon 5000\ninactive_file 4000\n",
  "memory.max": "max\n",
  "memory.peak": "12000\n",
  "memory.events": "low 0\noom 2\noom_kill 1\noom_group_kill 0\n",
  "pids.current": "3\n",
  "pids.max": "10\n",
  "io.stat":
    "8:0 rbytes=100 wbytes=20 rios=3 wios=1 dbytes=0 dios=0\n8:16 rbytes=1 wbytes=2 rios=1 wios=1\n",
  "hugetlb.2MB.current": "0\n",
  "hugetlb.2MB.max": "4194304\n",
  "cgroup.events": "populated 1\nfrozen 1\n",
  "cgroup.procs": "12\n13\n",
  "inner/cgroup.procs": "14\n",
};

const V1 = {
  memory: {
    "memory.usage_in_bytes": "10000\n",
    "memory.stat": "inactive_file 1\ntotal_inactive_file 4000\n",
    "memory.limit_in_bytes": "9223372036854771712\n",
    "memory.max_usage_in_bytes": "12000\n",
    "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
    "cgroup.procs": "12\n13\n",
  },
  cpu: { "cpu.stat": "nr_periods 9\nnr_throttled 4\nthrottled_time 70000\n" },
  cpuacct: {
    "cpuacct.usage": "5000000\n",
    "cpuacct.usage_user": "3000000\n",
    "cpuacct.usage_sys": "2000000\n",
  },
  pids: { "pids.current": "3\n", "pids.max": "10\n" },
  blkio: {
    "blkio.throttle.io_service_bytes_recursive":
      "8:0 Read 100\n8:0 Write 20\n8:0 Total 120\n8:16 Read 1\n8:16 Write 2\nTotal 123\n",
    "blkio.throttle.io_serviced_recursive": "8:0 Read 3\n8:0 Write 1\n8:16 Read 1\n8:16 Write 1\n",
  },
  hugetlb: { "hugetlb.2MB.usage_in_bytes": "0\n", "hugetlb.2MB.limit_in_bytes": "4194304\n" },
  freezer: { "freezer.state": "FROZEN\n" },
};

test("versions 1 and 2 tell the same of the same container", () => {
  const usage = {
    cpu: {
      total: 5_000_000,
      user: 3_000_000,
      system: 2_000_000,
      throttledPeriods: 4,
      throttledTime: 70_000,
    },
    memory: { usage: 6000, limit: Number.POSITIVE_INFINITY, peak: 12_000, oomKills: 1 },
    pids: { current: 3, limit: 10 },
    blockIO: { readBytes: 101, writeBytes: 22, readOperations: 4, writeOperations: 2 },
    hugetlb: { "2MB": { current: 0, max: 4_194_304 } },
  };
  const [v1, v2] = [groups(V1), groups({ unified: V2 })];
  expect(readUsage(v1)).toEqual(usage);
  expect(readUsage(v2)).toEqual(usage);
  expect([isFrozen(v1), isFrozen(v2)]).toEqual([true, true]);
  expect([isFreezing(v1), isFreezing(v2)]).toEqual([true, false]);
  expect(processesIn(v2)).toEqual([12, 13, 14]);
});

test("a group that was told to freeze and doesn't stand still yet can be let go on", () => {
  const v1 = groups({ freezer: { "freezer.state": "FREEZING\n" } });
  const v2 = groups({ unified: { "cgroup.freeze": "1\n", "cgroup.events": "frozen 0\n" } });
  for (const half of [v1, v2]) expect([isFrozen(half), isFreezing(half)]).toEqual([false, true]);
});

test("groups that are gone, or are in few hierarchies, count as empty", () => {
  const gone = ["/sys/fs/cgroup/no/such/group"];
  expect(readUsage(gone)).toMatchObject({ cpu: { total: 0 }, memory: { usage: 0, oomKills: 0 } });
  expect([isFrozen(gone), isFreezing(gone)]).toEqual([false, false]);
  expect(processesIn(gone)).toEqual([]);
});
