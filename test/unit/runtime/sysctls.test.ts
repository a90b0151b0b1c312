import { expect, test } from "vitest";
import { parseSysctls } from "../../../src/runtime/sysctls.ts";

const OWN = { ipc: true, network: true, uts: true };

test("settings of the container's namespaces are taken, by dots and by slashes", () => {
  const texts = [
    "net.ipv4.ip_local_port_range = 1024 65000",
    "net/ipv4/conf/eth0.100/forwarding=1",
    "net.ipv4.conf.eth1/7.forwarding=0",
    "kernel/msgmax=65536",
    "kernel.sem=250 32000 100 128",
    "fs.mqueue.msg_max=20",
    "kernel.domainname=example",
    "kernel.shmmax=1",
    "kernel.shmmax=2",
  ];
  expect(parseSysctls(texts, OWN)).toEqual({
    "net.ipv4.ip_local_port_range": "1024 65000",
    "net/ipv4/conf/eth0.100/forwarding": "1",
    "net/ipv4/conf/eth1.7/forwarding": "0",
    "kernel.msgmax": "65536",
    "kernel.sem": "250 32000 100 128",
    "fs.mqueue.msg_max": "20",
    "kernel.domainname": "example",
    "kernel.shmmax": "2",
  });
});

test.each([
  ["net.core.somaxconn=1", { network: false }, "host's network"],
  ["kernel.shmmax=1", { ipc: false }, "IPC namespace"],
  ["fs.mqueue.msg_max=1", { ipc: false }, "IPC namespace"],
  ["kernel.domainname=x", { uts: false }, "rename the host"],
  ["kernel.hostname=x", {}, "flag of its own"],
  ["kernel.panic=1", {}, "belongs to no namespace"],
  ["vm.swappiness=1", {}, "belongs to no namespace"],
  ["kernel.shmmax.x=1", {}, "belongs to no namespace"],
  ["netx.ipv4=1", {}, "belongs to no namespace"],
  ["net/../kernel/panic=1", {}, "not one that a setting can have"],
  ["net/./ipv4=1", {}, "not one that a setting can have"],
  ["net.ipv4.//../../../kernel/panic=1", {}, "not one that a setting can have"],
  ["/net/ipv4/ip_forward=1", {}, "not one that a setting can have"],
  ["net..ipv4=1", {}, "not one that a setting can have"],
  ["net.ipv4.ip_forward", {}, "not name=value"],
  ["=1", {}, "not name=value"],
  ["net.ipv4.ip_forward=", {}, "no value"],
])("%j is refused", (text, own, message) => {
  expect(() => parseSysctls([text], { ...OWN, ...own })).toThrow(
    expect.objectContaining({ code: "ERR_USAGE", message: expect.stringContaining(message) }),
  );
});
