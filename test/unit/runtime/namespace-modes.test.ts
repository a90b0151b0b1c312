import { expect, test } from "vitest";
import {
  namespaceOf,
  parseCgroupMode,
  parseIpcMode,
  parsePidMode,
  parseTimeMode,
  parseUtsMode,
} from "../../../src/runtime/namespace-modes.ts";

test("modes are docker's, private when nothing is said", () => {
  for (const parse of [parseIpcMode, parsePidMode, parseUtsMode, parseCgroupMode]) {
    expect(parse(undefined)).toEqual({ kind: "private" });
    expect(parse("")).toEqual({ kind: "private" });
    expect(parse("private")).toEqual({ kind: "private" });
    expect(parse("host")).toEqual({ kind: "host" });
    expect(() => parse("elsewhere")).toThrow(expect.objectContaining({ code: "ERR_USAGE" }));
    expect(() => parse("container:")).toThrow(/invalid value "container:"/);
  }
  expect(parseIpcMode("none")).toEqual({ kind: "none" });
  expect(parseIpcMode("shareable")).toEqual({ kind: "shareable" });
  expect(parseIpcMode("container:db")).toEqual({ kind: "container", container: "db" });
  expect(parsePidMode("container:db")).toEqual({ kind: "container", container: "db" });
});

test("what a namespace doesn't have is refused with what it has", () => {
  expect(() => parsePidMode("shareable")).toThrow(
    expect.objectContaining({ hint: "choose private, host or container:ID" }),
  );
  expect(() => parseCgroupMode("container:db")).toThrow(
    expect.objectContaining({ hint: "choose private or host" }),
  );
  expect(() => parseCgroupMode("container:db")).toThrow(/--cgroupns/);
});

test("clocks are the host's, another container's, or so far ahead", () => {
  for (const text of [undefined, "", "host"]) expect(parseTimeMode(text)).toEqual({ kind: "host" });
  expect(parseTimeMode("container:db")).toEqual({ kind: "container", container: "db" });
  expect(parseTimeMode("boottime=5")).toEqual({
    kind: "private",
    offsets: { boottime: { secs: 5, nanosecs: 0 } },
  });
  for (const text of ["private", "container:", "other"])
    expect(() => parseTimeMode(text)).toThrow(/invalid --time/);
});

test("another's names can't be shared and set", () => {
  expect(() => parseUtsMode("host", "web")).toThrow(/--hostname can't be set with --uts host/);
  expect(() => parseUtsMode("container:db", "web")).toThrow(/with --uts container:/);
  expect(parseUtsMode("private", "web")).toEqual({ kind: "private" });
});

test("a mode becomes an entry of the spec, or none for the host's", () => {
  const pidOf = (container: string) => (container === "db" ? 77 : 0);
  expect(namespaceOf("pid", { kind: "host" }, pidOf)).toBeUndefined();
  expect(namespaceOf("ipc", { kind: "none" }, pidOf)).toEqual({ type: "ipc" });
  expect(namespaceOf("uts", { kind: "private" }, pidOf)).toEqual({ type: "uts" });
  const joined = { kind: "container", container: "db" } as const;
  expect(namespaceOf("ipc", joined, pidOf)).toEqual({ type: "ipc", path: "/proc/77/ns/ipc" });
  expect(namespaceOf("network", joined, pidOf)?.path).toBe("/proc/77/ns/net");
});
