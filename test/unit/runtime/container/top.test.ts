import { expect, test } from "vitest";
import { parseProcess } from "../../../../src/runtime/cgroup/process-usage.ts";
import { parseNetDev } from "../../../../src/runtime/container/network-usage.ts";
import { selectProcesses } from "../../../../src/runtime/container/top.ts";

test("of what ps prints the container's processes are kept, commands with their spaces", () => {
  const output = [
    "UID          PID    PPID  C STIME TTY          TIME CMD",
    "root           1       0  0 Nov22 ?        00:00:07 /sbin/init  splash",
    "root         700       1 12 10:31 pts/0    00:00:09 sh -c  a   b",
    "www-data    7001     700  0 10:31 ?        00:00:00 [kworker/0:1]",
  ].join("\n");
  expect(selectProcesses(output, new Set([700, 7001]))).toEqual({
    titles: ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"],
    rows: [
      ["root", "700", "1", "12", "10:31", "pts/0", "00:00:09", "sh -c  a   b"],
      ["www-data", "7001", "700", "0", "10:31", "?", "00:00:00", "[kworker/0:1]"],
    ],
  });
  expect(selectProcesses("  PID\n    7\n   70\n", new Set([7])).rows).toEqual([["7"]]);
  expect(() => selectProcesses("COMMAND\nsh\n", new Set([7]))).toThrow(/no column PID/);
});

test("bytes over a network leave the loopback out", () => {
  const text = [
    "Inter-|   Receive                                                |  Transmit",
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs",
    "    lo: 1000       9    0    0    0     0          0         0     1000       9    0",
    "  eth0:  500       5    0    0    0     0          0         0      70       2    0",
    "eth1:7 1 0 0 0 0 0 0 8 1 0 0 0 0 0 0",
  ].join("\n");
  expect(parseNetDev(text)).toEqual({ received: 507, sent: 78 });
  expect(parseNetDev("")).toEqual({ received: 0, sent: 0 });
});

test("a process with any name counts, one that has just ended for nothing", () => {
  const fields = [
    "S",
    ...Array.from({ length: 10 }, () => "0"),
    "1",
    "2",
    "30",
    "40",
    "20",
    "0",
    "6",
  ];
  const stat = `7 (a) b (c) ${fields.join(" ")}`;
  expect(parseProcess(stat, "rchar: 1\nread_bytes: 4096\nwrite_bytes: 512\n")).toEqual({
    user: 310_000_000,
    system: 420_000_000,
    threads: 6,
    readBytes: 4096,
    writeBytes: 512,
  });
  expect(parseProcess("", "")).toMatchObject({ user: 0, threads: 0, readBytes: 0 });
});
