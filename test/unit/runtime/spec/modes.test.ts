import { expect, test } from "vitest";
import { parseNetworkFlags } from "../../../../src/runtime/network/network-request.ts";
import type { RunFlags } from "../../../../src/runtime/run-flags.ts";
import { chooseModes } from "../../../../src/runtime/spec/modes.ts";
import { NO_FLAGS } from "../no-flags.ts";

function modesOf(flags: Partial<RunFlags>) {
  const all = { ...NO_FLAGS, ...flags };
  return chooseModes(all, parseNetworkFlags(all));
}

test("a user namespace has neither the host's processes nor its network", () => {
  const mapped = { uidmap: ["0:100000:65536"], network: ["none"] };
  expect(modesOf(mapped).user.kind).toBe("maps");
  expect(() => modesOf({ ...mapped, pid: "host" })).toThrow(/doesn't go with --pid host/);
  expect(() => modesOf({ ...mapped, network: ["host"] })).toThrow(/with --network host/);
  expect(modesOf({ userns: "host", pid: "host", network: ["host"] }).pid.kind).toBe("host");
});
