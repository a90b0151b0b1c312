import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  hostsLines,
  initialHosts,
  withMembers,
} from "../../../../src/runtime/network/hosts-file.ts";
import { resolvConf } from "../../../../src/runtime/network/resolv-conf.ts";

const ONE = hostsLines([{ addresses: ["10.0.0.2", "fd00::2"], names: ["web", "web", "abc"] }]);
const TWO = hostsLines([{ addresses: ["10.0.0.3"], names: ["db"] }]);

describe("/etc/hosts", () => {
  it("has one block of members, which comes, changes and goes", () => {
    const start = initialHosts([{ addresses: ["1.2.3.4"], names: ["extra"] }]);
    const first = withMembers(start, ONE);
    expect(first.startsWith(start)).toBe(true);
    expect(first).toContain("10.0.0.2\tweb abc\nfd00::2\tweb abc\n");
    const second = withMembers(first, ONE + TWO);
    expect(second).toContain("10.0.0.3\tdb\n");
    expect(withMembers(second, ONE)).toBe(first);
    expect(withMembers(second, "")).toBe(start);
  });

  it("what the container writes around the block stays, byte for byte", () => {
    // A lone part of the block's own marks is text like any other.
    const text = fc.array(fc.constantFrom("a", "\n", "\xff", "1.2.3.4\tx\n", "# tsimg: en", "#"));
    fc.assert(
      fc.property(text, text, (head, tail) => {
        const before = `${head.join("")}\n`;
        const after = tail.join("");
        const block = withMembers(before, ONE) + after;
        expect(withMembers(block, TWO)).toBe(withMembers(before, TWO) + after);
      }),
    );
  });

  it("a block whose end was cut off is replaced all the same", () => {
    const whole = withMembers(initialHosts([]), ONE);
    const cut = whole.slice(0, whole.lastIndexOf("# tsimg: end"));
    expect(withMembers(`${cut}# mine\n`, TWO)).toBe(
      `${withMembers(initialHosts([]), TWO)}# mine\n`,
    );
  });

  it("a file without a last line feed gets one", () => {
    expect(withMembers("1.1.1.1 a", TWO)).toMatch(/^1\.1\.1\.1 a\n# tsimg/);
  });
});

describe("/etc/resolv.conf", () => {
  const NOTHING = { servers: [], search: [], options: [] };
  const host = (text: string, systemdResolved?: string) => ({ resolvConf: text, systemdResolved });
  const HOST = "# made by hand\nsearch example.org\nnameserver 192.0.2.53\noptions ndots:2\n";

  it("is the host's", () => {
    expect(resolvConf(NOTHING, host(HOST), { ipv6: false })).toBe(
      "nameserver 192.0.2.53\nsearch example.org\noptions ndots:2\n",
    );
    expect(resolvConf(NOTHING, host(HOST), "host")).toBe(HOST);
  });

  it("names the servers behind systemd-resolved's stub", () => {
    const stub = host("nameserver 127.0.0.53\noptions edns0\n", "nameserver 192.0.2.1\n");
    expect(resolvConf(NOTHING, stub, { ipv6: false })).toBe(
      "nameserver 192.0.2.1\noptions edns0\n",
    );
    expect(resolvConf(NOTHING, stub, "host")).toContain("127.0.0.53");
  });

  it("leaves out what can't be reached, and has public servers when nothing is left", () => {
    const mixed = host("nameserver 127.0.0.1\nnameserver 192.0.2.9\nnameserver 2001:db8::1\n");
    expect(resolvConf(NOTHING, mixed, { ipv6: false })).toBe("nameserver 192.0.2.9\n");
    expect(resolvConf(NOTHING, mixed, { ipv6: true })).toContain("2001:db8::1");
    const zone = host("nameserver fe80::1%eth0\nnameserver ::1\n");
    expect(resolvConf(NOTHING, zone, { ipv6: false })).toBe(
      "nameserver 8.8.8.8\nnameserver 8.8.4.4\n",
    );
  });

  it("flags replace the host's, each kind by itself", () => {
    const dns = { servers: ["9.9.9.9"], search: ["."], options: [] };
    expect(resolvConf(dns, host(HOST), { ipv6: false })).toBe(
      "nameserver 9.9.9.9\noptions ndots:2\n",
    );
    expect(resolvConf(dns, host(HOST), "host")).toBe("nameserver 9.9.9.9\noptions ndots:2\n");
  });
});
