import { totalmem } from "node:os";
import { expect, test } from "vitest";
import { formatBinarySize } from "../../../../src/cli/output/binary-size.ts";
import { renderRows } from "../../../../src/cli/output/format.ts";
import { LISTING, statsRow } from "../../../../src/cli/stats/row.ts";
import type { Sample } from "../../../../src/runtime/container/sample.ts";

const MIB = 1024 * 1024;

function sample(at: number, cpuSeconds: number, limit: number): Sample {
  const cpu = {
    total: cpuSeconds * 1e9,
    user: 0,
    system: 0,
    throttledPeriods: 0,
    throttledTime: 0,
  };
  return {
    id: "0123456789abcdef",
    name: "web",
    at,
    used: {
      cpu,
      memory: { usage: 16 * MIB, limit, peak: undefined, oomKills: 0 },
      pids: { current: 3, limit: Number.POSITIVE_INFINITY },
      blockIO: { readBytes: 4096, writeBytes: 0, readOperations: 1, writeOperations: 0 },
      hugetlb: {},
      network: { received: 1500, sent: 2_000_000 },
    },
  };
}

test("a row has docker's columns, its CPU per cent counted over the time between", () => {
  const row = statsRow(sample(1000, 5, 64 * MIB), sample(3000, 8, 64 * MIB), false);
  expect(
    renderRows(LISTING, [row], {})
      .split("\n")
      .map((line) => line.split(/ {3,}/)),
  ).toEqual([
    ["CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS"],
    ["0123456789ab", "web", "150.00%", "16MiB / 64MiB", "25.00%", "1.5kB / 2MB", "4.1kB / 0B", "3"],
    [""],
  ]);
});

test("without a limit there is the machine's memory; without an earlier look no CPU time", () => {
  const now = sample(3000, 8, Number.POSITIVE_INFINITY);
  const row = statsRow(undefined, now, true);
  expect(row).toMatchObject({ ID: now.id, CPUPerc: "0.00%" });
  expect(row.MemUsage).toBe(`16MiB / ${formatBinarySize(totalmem())}`);
  expect(statsRow(sample(1000, 9, 1), now, false).CPUPerc).toBe("0.00%");
  expect(statsRow(undefined, { ...now, used: undefined }, false)).toMatchObject({
    Name: "web",
    CPUPerc: "--",
    MemUsage: "-- / --",
  });
});
