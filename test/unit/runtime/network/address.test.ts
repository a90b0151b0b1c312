import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addressBytes,
  formatAddress,
  parseAddress,
} from "../../../../src/runtime/network/address.ts";
import { nextFree } from "../../../../src/runtime/network/address-pool.ts";
import { freeDefaultSubnet, freeUserSubnet } from "../../../../src/runtime/network/free-subnet.ts";
import { readRoutes6, readTrie } from "../../../../src/runtime/network/host-interfaces.ts";
import {
  addressAt,
  contains,
  formatSubnet,
  netmask,
  overlaps,
  parseSubnet,
  readSubnet,
} from "../../../../src/runtime/network/subnet.ts";

describe("addresses", () => {
  it.each([
    ["2001:db8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:DB8::", "2001:db8::"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["::1", "::1"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
    ["10:100:0:0:2:3:4:5", "10:100::2:3:4:5"],
    ["::ffff:192.0.2.1", "::ffff:c000:201"],
    ["192.0.2.1", "192.0.2.1"],
  ])("%s is written %s", (text, canonical) => {
    const address = parseAddress(text);
    expect(address && formatAddress(address)).toBe(canonical);
  });

  it.each([
    ...["", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4.5", "a.b.c.d", "1.2.3.4 ", ":", ":::"],
    ...["1::2::3", "12345::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::g"],
    ...["fe80::1%eth0", "[::1]", "::1.2.3", `${"0".repeat(100)}::1`],
  ])("'%s' is none", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it("what is written is read again, whatever the value", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, (1n << 128n) - 1n), (bits) => {
        // Many zeros, as real ones have.
        for (const value of [bits, bits & (bits << 40n) & ((1n << 128n) - 1n)]) {
          const address = { family: 6, value } as const;
          expect(parseAddress(formatAddress(address))).toEqual(address);
          expect(addressBytes(address)).toHaveLength(16);
        }
      }),
    );
  });
});

describe("subnets", () => {
  it("bits behind the prefix are dropped", () => {
    expect(formatSubnet(parseSubnet("10.20.30.40/16", "--subnet"))).toBe("10.20.0.0/16");
    expect(formatAddress(netmask(20))).toBe("255.255.240.0");
  });

  it("overlap is seen whichever is the larger, and never between families", () => {
    const subnet = (text: string) => parseSubnet(text, "");
    expect(overlaps(subnet("10.0.0.0/8"), subnet("10.20.0.0/16"))).toBe(true);
    expect(overlaps(subnet("10.20.0.0/16"), subnet("10.0.0.0/8"))).toBe(true);
    expect(overlaps(subnet("10.20.0.0/16"), subnet("10.21.0.0/16"))).toBe(false);
    expect(overlaps(subnet("0.0.0.0/0"), subnet("::/0"))).toBe(false);
  });

  it.each(["10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/-1", "/8", "x/8"])("%s is none", (text) =>
    expect(readSubnet(text)).toBeUndefined(),
  );

  it("new networks keep clear of the host's routes, docker's, podman's and Kubernetes' ranges", () => {
    const trie = `Main:
     +-- 10.66.0.0/16 2 0 2
           |-- 10.66.3.0
              /24 link UNICAST
           |-- 10.76.0.9
              /32 host LOCAL
        |-- 127.0.0.0
           /8 host LOCAL
        |-- 0.0.0.0
           /0 universe UNICAST
           |-- 10.255.255.255
              /32 link BROADCAST`;
    const taken = readTrie(trie);
    expect(taken.map(formatSubnet)).toEqual(["10.66.3.0/24", "10.76.0.9/32"]);
    expect(formatSubnet(freeDefaultSubnet(taken))).toBe("10.67.0.0/16");
    expect(formatSubnet(freeUserSubnet(taken))).toBe("10.76.1.0/24");
    expect(() => freeUserSubnet([parseSubnet("10.0.0.0/8", "")])).toThrow(/no free range/);
    const tenStores = ["10.66.0.0/15", "10.68.0.0/14", "10.72.0.0/14"];
    const beside = freeDefaultSubnet(tenStores.map((text) => parseSubnet(text, "")));
    expect(formatSubnet(beside)).toBe("10.76.0.0/24");
    for (const others of ["172.16.0.0/12", "192.168.0.0/16", "10.88.0.0/13", "10.96.0.0/11"])
      for (const subnet of [freeDefaultSubnet([]), freeUserSubnet([])])
        expect(overlaps(subnet, parseSubnet(others, ""))).toBe(false);
  });

  it("routes of IPv6 are read but for the default one", () => {
    const line = (to: string, prefix: string) => `${to} ${prefix} ${"0".repeat(32)} 00 x`;
    const text = [line(`fd12${"0".repeat(28)}`, "40"), line("0".repeat(32), "00"), ""].join("\n");
    expect(readRoutes6(text).map(formatSubnet)).toEqual(["fd12::/64"]);
  });
});

describe("the pool", () => {
  const subnet = parseSubnet("10.0.0.0/29", "");
  const at = (offset: number) => addressAt(subnet, BigInt(offset)).value;

  it("begins with the lowest, goes on after the last, and rests what was just freed", () => {
    const taken = new Set([at(1)]);
    const given: string[] = [];
    let last: bigint | undefined;
    for (let turn = 0; turn < 8; turn++) {
      const next = nextFree(subnet, taken, last);
      if (next === undefined) throw new Error("full");
      // Used and freed at once.
      last = next.value;
      given.push(formatAddress(next).slice(-1));
    }
    expect(given.join("")).toBe("23456234");
  });

  it.each([
    ["10.0.0.4/30", "456456"],
    ["10.0.0.0/30", "123123"],
    ["10.0.0.3/32", "333333"],
  ])("stays in the part %s of its subnet", (text, expected) => {
    const part = parseSubnet(text, "");
    const given: string[] = [];
    let last: bigint | undefined;
    while (given.length < 6) {
      const next = nextFree(subnet, new Set(), last, part);
      if (next === undefined) throw new Error("full");
      last = next.value;
      given.push(formatAddress(next).slice(-1));
    }
    expect(given.join("")).toBe(expected);
    const all = new Set([1, 2, 3, 4, 5, 6].filter((one) => expected.includes(String(one))).map(at));
    expect(nextFree(subnet, all, last, part)).toBeUndefined();
  });

  it("finds the only one that is left, and then none; never the first or the last address", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 6 })),
        fc.option(fc.integer({ min: -5, max: 20 })),
        (offsets, last) => {
          const taken = new Set(offsets.map(at));
          const before = last === null ? undefined : subnet.base + BigInt(last);
          const found = nextFree(subnet, taken, before);
          if (offsets.length === 6) return found === undefined;
          return (
            found !== undefined &&
            contains(subnet, found) &&
            !taken.has(found.value) &&
            found.value !== at(0) &&
            found.value !== at(7)
          );
        },
      ),
    );
  });
});
