import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { afterAll, beforeAll } from "vitest";

/** An ordinary user on a machine with cgroup version 2 alone, with and without a group of it. */
import "../system/rootless.test.ts";
import "../system/rootless-limits.test.ts";

/** The guest has no way out; what connects a user's containers looks for one. */
const ROUTE = [
  "link add outward type dummy",
  "link set outward up",
  "address add 10.77.0.2/24 dev outward",
  "route add default via 10.77.0.1",
  "address add fd77::2/64 dev outward nodad",
  "route add default via fd77::1",
];

beforeAll(() => {
  // As udev does where it runs.
  chmodSync("/dev/net/tun", 0o666);
  for (const line of ROUTE) execFileSync("ip", line.split(" "));
});
afterAll(() => {
  execFileSync("ip", ["link", "delete", "outward"]);
});
