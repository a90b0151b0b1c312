import { expect, it } from "vitest";
import type { Spec } from "../../../../src/oci/runtime-spec.ts";
import { ownSysctls } from "../../../../src/runtime/oci/own-sysctls.ts";

const PRIVATE = [{ type: "network" }, { type: "ipc" }, { type: "uts" }] as const;

function settled(
  sysctl: Record<string, string>,
  namespaces: Spec["linux"]["namespaces"] = PRIVATE,
): Readonly<Record<string, string>> {
  return ownSysctls({ linux: { namespaces, sysctl } } as Spec);
}

it("settings of the container's namespaces stay", () => {
  const sysctl = { "net.ipv4.ip_local_port_range": "1024 65000", "kernel.shmmax": "1" };
  expect(settled(sysctl)).toEqual(sysctl);
  expect(settled({})).toEqual({});
});

it.each([
  "kernel.core_pattern",
  "vm.overcommit_memory",
  "net.ipv4/../../../sysrq-trigger",
  "net/../../sysrq-trigger",
])("the host's %s is refused", (name) => {
  expect(() => settled({ [name]: "1" })).toThrow("config.json: linux.sysctl");
});

it.each([[[]], [[{ type: "network", path: "/proc/self/ns/net" }]]] as const)(
  "with the host's network its settings are refused",
  (namespaces) => {
    expect(() => settled({ "net.ipv4.ip_forward": "1" }, namespaces)).toThrow("linux.sysctl");
  },
);
