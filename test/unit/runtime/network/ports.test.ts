import { describe, expect, it } from "vitest";
import { parseAddress } from "../../../../src/runtime/network/address.ts";
import {
  choosePorts,
  heldPorts,
  type PortsInput,
} from "../../../../src/runtime/network/choose-ports.ts";
import { readSockets } from "../../../../src/runtime/network/host-listeners.ts";
import type { PublishedPort } from "../../../../src/runtime/network/network-row.ts";
import { networkSettings } from "../../../../src/runtime/network/network-settings.ts";
import { portsAddition, portsRemoval } from "../../../../src/runtime/network/nft-elements.ts";
import { parseExposed, parsePublish } from "../../../../src/runtime/network/port-request.ts";
import { portsColumn } from "../../../../src/runtime/network/ports-column.ts";

const BOTH = { v4: "10.0.0.2", v6: "fd00::2" };
const ONE = { v4: "10.0.0.2", v6: undefined };

function chosen(text: string | readonly string[], input: Partial<PortsInput> = {}) {
  const texts = typeof text === "string" ? [text] : text;
  return choosePorts({
    container: "c",
    requests: texts.flatMap(parsePublish),
    targets: ONE,
    published: [],
    listeners: { has: () => false },
    random: () => 0,
    ...input,
  });
}

const shown = (ports: readonly PublishedPort[]) =>
  ports.map((it) => `${it.host_address} ${it.host_port} ${it.container_port}/${it.protocol}`);

describe("-p", () => {
  it.each([
    ["80", ["0.0.0.0 32768 80/tcp"]],
    ["8080:80", ["0.0.0.0 8080 80/tcp"]],
    ["0:80", ["0.0.0.0 32768 80/tcp"]],
    ["8080:80/UDP", ["0.0.0.0 8080 80/udp"]],
    ["7000:70/sctp", ["0.0.0.0 7000 70/sctp"]],
    ["127.0.0.1:8080:80", ["127.0.0.1 8080 80/tcp"]],
    ["127.0.0.1::80", ["127.0.0.1 32768 80/tcp"]],
    ["8000-8001:80-81", ["0.0.0.0 8000 80/tcp", "0.0.0.0 8001 81/tcp"]],
    ["80-81", ["0.0.0.0 32768 80/tcp", "0.0.0.0 32769 81/tcp"]],
    ["8000-8009:80", ["0.0.0.0 8000 80/tcp"]],
  ])("%s", (text, ports) => expect(shown(chosen(text))).toEqual(ports));

  it("with IPv6 both families get the same port, and addresses may stand in brackets", () => {
    const six = { targets: BOTH };
    expect(shown(chosen("80", six))).toEqual(["0.0.0.0 32768 80/tcp", ":: 32768 80/tcp"]);
    expect(shown(chosen("[::1]:8080:80", six))).toEqual(["::1 8080 80/tcp"]);
    expect(shown(chosen("2001:db8::1:8080:80", six))).toEqual(["2001:db8::1 8080 80/tcp"]);
    expect(() => chosen("[::]:8080:80")).toThrow(/no IPv6 in the container/);
  });

  it.each([
    ["", /no container port/],
    ["8080:", /no container port/],
    ["80/icmp", /unknown protocol/],
    ["80/tcp/udp", /unknown protocol/],
    ["65536", /invalid container port/],
    ["0", /invalid container port/],
    ["99999:80", /invalid host port/],
    ["90-80", /invalid container port/],
    ["8000-8001:80-82", /differ in length/],
    ["host:80:80", /no IP address/],
    ["1.2.3:80:80", /no IP address/],
    ["-1:80", /invalid host port/],
    ["80 ", /invalid container port/],
    ["8080:80,443", /invalid container port/],
  ])("'%s' is refused", (text, message) => {
    expect(() => parsePublish(text)).toThrow(message);
  });

  it("--expose takes ranges, and no host port", () => {
    expect(parseExposed("80-81/udp").map(({ port }) => port)).toEqual([80, 81]);
    expect(() => parseExposed("80:80")).toThrow(/invalid port/);
  });
});

describe("choosing host ports", () => {
  const taken = (host_address: string, host_port: number): PublishedPort => ({
    ...{ host_address, host_port, protocol: "tcp", container: "d".repeat(64) },
    ...{ container_port: 1, target: "10.0.0.9" },
  });

  it("one of another container is refused, where the addresses meet", () => {
    const published = [taken("0.0.0.0", 80), taken("127.0.0.1", 81)];
    const message = "bind for 10.1.1.1:80 failed: port is already allocated";
    expect(() => chosen("10.1.1.1:80:1", { published })).toThrow(message);
    expect(() => chosen("81:1", { published })).toThrow(/already allocated/);
    expect(shown(chosen("10.1.1.1:81:1", { published }))).toEqual(["10.1.1.1 81 1/tcp"]);
    expect(shown(chosen("80:1/udp", { published }))).toEqual(["0.0.0.0 80 1/udp"]);
  });

  it("a range and a free port pass over what is taken, and say when nothing is left", () => {
    const published = [taken("0.0.0.0", 8000), taken("0.0.0.0", 32_768)];
    expect(shown(chosen("8000-8001:80", { published }))).toEqual(["0.0.0.0 8001 80/tcp"]);
    expect(shown(chosen("80", { published }))).toEqual(["0.0.0.0 32769 80/tcp"]);
    const listeners = { has: () => true };
    expect(() => chosen("8000-8001:80", { listeners })).toThrow(/all ports of 8000-8001/);
    // One asked for by number is the launcher's to bind to.
    expect(shown(chosen("8000:80", { listeners }))).toEqual(["0.0.0.0 8000 80/tcp"]);
  });

  it("one start can't take a port twice", () => {
    expect(() => chosen(["80:1", "80:2"])).toThrow(/already allocated/);
    expect(shown(chosen(["1", "2"]))).toHaveLength(2);
  });

  it("the launcher binds to all, as far as it has descriptors and the kernel the protocol", () => {
    const texts = ["8000:80", "8001:80/sctp", "80", "9000-9009:90", "7000-7299:7000-7299"];
    const ports = chosen(texts, { targets: BOTH });
    expect(heldPorts(ports, true)).toEqual(ports.slice(0, 512));
    expect(heldPorts(ports, false)).toHaveLength(510);
    expect(heldPorts(chosen("9000-9009:90"), false)).toMatchObject([{ host_port: 9000 }]);
    const has = (_address: unknown, port: number) => port === 7299;
    const listeners = { has };
    expect(() => chosen(texts, { listeners })).toThrow(
      "failed to bind host port 0.0.0.0:7299/tcp: address already in use",
    );
  });

  it("the kernel's lists of sockets are read, in its byte order", () => {
    const text = `  sl  local_address rem_address   st tx_queue
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000
   1: 0100007F:0050 0200007F:9999 01 00000000:00000000 00:00000000 00000000
   2: B80D0120000000000000000001000000:0035 00000000000000000000000000000000:0000 0A 0
`;
    expect(readSockets(text, "0A")).toEqual([
      { address: parseAddress("127.0.0.1"), port: 8080 },
      { address: parseAddress("2001:db8::1"), port: 53 },
    ]);
  });
});

describe("published ports", () => {
  const ports = chosen(["8080:80", "127.0.0.1:53:53/udp"], { targets: BOTH });

  it("are elements of maps, which a removal may take away twice", () => {
    const added = portsAddition("tsimg", ports);
    expect(added).toBe(`add element inet tsimg ports4 { tcp . 8080 : 10.0.0.2 . 80 }
add element inet tsimg ports6 { tcp . 8080 : fd00::2 . 80 }
add element inet tsimg bound4 { 127.0.0.1 . udp . 53 : 10.0.0.2 . 53 }
`);
    const removal = portsRemoval("tsimg", ports);
    expect(removal).toBe(added + added.replaceAll("add element", "delete element"));
  });

  it("stand in ps as docker has them", () => {
    expect(portsColumn(ports, ["443/tcp", "80/tcp", "nonsense"])).toBe(
      "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 443/tcp, 127.0.0.1:53->53/udp",
    );
    const range = chosen(["8000-8002:80-82", "9000:90"]);
    expect(portsColumn(range, ["70-72"])).toBe(
      "0.0.0.0:8000-8002->80-82/tcp, 0.0.0.0:9000->90/tcp, 70-72/tcp",
    );
    expect(portsColumn([], [])).toBe("");
  });

  it("stand in inspect as docker has them", () => {
    const asked = ["none"];
    const input = { members: [], asked, networks: [], ports, exposed: ["443"], sandbox: "" };
    expect(networkSettings(input)).toMatchObject({
      Ports: {
        "443/tcp": null,
        "80/tcp": [
          { HostIp: "0.0.0.0", HostPort: "8080" },
          { HostIp: "::", HostPort: "8080" },
        ],
        "53/udp": [{ HostIp: "127.0.0.1", HostPort: "53" }],
      },
      Networks: { none: { IPAddress: "", NetworkID: expect.stringMatching(/^[0-9a-f]{64}$/) } },
    });
  });
});
