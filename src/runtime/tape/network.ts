import type { InsideNetwork, InsideShape } from "../network/inside-network.ts";
import { ADDRESS_BLOCK, INDEX_OFFSET, memoryLayout } from "../network/inside-network.ts";
import { writeFile } from "./cgroup.ts";
import { raiseLoopback } from "./process.ts";
import type { Steps } from "./steps.ts";
import type { Bytes, Register } from "./tape.ts";
import { bytes, flags } from "./tape.ts";

const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;

/**
 * Gives a container's interfaces their addresses and routes, from within its network
 * namespace and while the host's /proc is still there.
 *
 * The addresses are read from a file of the container's own, so that the tape is the same for
 * every container with such interfaces and can be kept. See `insideMemory` for its layout.
 *
 * @param opened that file; closed at the end
 */
export function configureNetwork(
  steps: Steps,
  inside: InsideNetwork,
  opened: Register = openAddresses(steps, inside),
): void {
  raiseLoopback(steps);
  const { interfaces } = inside;
  if (interfaces.length === 0) return;
  const layout = memoryLayout(interfaces);
  const memory = bytes("{addresses and routes}", new Uint8Array(layout.size));
  const why = "reading the container's addresses";
  steps.scope(() => {
    const source = opened;
    steps.call("read", [source, memory, layout.size], why);
    for (const [index, each] of interfaces.entries()) {
      const places = layout.interfaces[index];
      if (places === undefined) continue;
      chooseIpv6(steps, each);
      raise(steps, each, memory, places.address, places.netmask);
      if (each.ipv6) addAddress6(steps, each, source);
    }
    addRoutes(steps, interfaces, memory, layout.interfaces);
    steps.call("close", [source], why);
  });
}

/** The file with the addresses: by whoever may walk its path. */
export function openAddresses(steps: Steps, { file }: InsideNetwork): Register {
  const args = [flags("AT_FDCWD"), file, flags("O_CLOEXEC")];
  return steps.keep("openat", args, "opening the container's addresses");
}

/** Nobody else has these addresses: a container shall not wait a second to find that out. */
function chooseIpv6(steps: Steps, { name, ipv6 }: InsideShape): void {
  const [setting, value] = ipv6 ? ["accept_dad", "0"] : ["disable_ipv6", "1"];
  const path = `/proc/sys/net/ipv6/conf/${name}/${setting}`;
  steps.scope(() => writeFile(steps, path, value, `setting ${setting} of ${name}`, true));
}

function raise(
  steps: Steps,
  { name }: InsideShape,
  memory: Bytes,
  address: number,
  netmask: number,
): void {
  const up = request(name);
  new DataView(up.buffer).setUint16(16, IFF_UP | IFF_RUNNING, true);
  withSocket(steps, "AF_INET", `raising ${name}`, (socket) => {
    const call = (what: "SIOCSIFADDR" | "SIOCSIFNETMASK", offset: number, why: string) =>
      steps.call("ioctl", [socket, flags(what), { kind: "place", of: memory, offset }], why);
    call("SIOCSIFADDR", address, `setting the IPv4 address of ${name}`);
    call("SIOCSIFNETMASK", netmask, `setting the netmask of ${name}`);
    const raised = bytes(`{"${name}", IFF_UP|IFF_RUNNING}`, up);
    steps.call("ioctl", [socket, flags("SIOCSIFFLAGS"), raised], `raising ${name}`);
  });
}

/**
 * IPv6 wants the interface's number, which only the kernel knows. It is asked to write it to
 * where the request has it; address and prefix are then read over the name before it.
 *
 *     in6_ifreq   address 16   prefix 4   number 4
 *     ifreq          4 ▸ name 16       ▸  number 4   …
 */
function addAddress6(steps: Steps, { name }: InsideShape, source: Register): void {
  const question = new Uint8Array(48);
  question.set(request(name), INDEX_OFFSET);
  const memory = bytes(`{address of "${name}"}`, question);
  const why = `setting the IPv6 address of ${name}`;
  withSocket(steps, "AF_INET6", why, (socket) => {
    const asked = { kind: "place", of: memory, offset: INDEX_OFFSET } as const;
    steps.call("ioctl", [socket, flags("SIOCGIFINDEX"), asked], why);
    steps.call("read", [source, memory, ADDRESS_BLOCK], why);
    steps.call("ioctl", [socket, flags("SIOCSIFADDR"), memory], why);
  });
}

/** After all addresses: a gateway must be a neighbour. */
function addRoutes(
  steps: Steps,
  interfaces: readonly InsideShape[],
  memory: Bytes,
  places: readonly { readonly route: number; readonly route6: number }[],
): void {
  for (const [index, { name, gateway, gateway6 }] of interfaces.entries()) {
    const { route, route6 } = places[index] ?? { route: 0, route6: 0 };
    const add = (family: "AF_INET" | "AF_INET6", offset: number, version: string) => {
      const why = `setting the default route of ${version} by ${name}`;
      withSocket(steps, family, why, (socket) => {
        const entry = { kind: "place", of: memory, offset } as const;
        steps.call("ioctl", [socket, flags("SIOCADDRT"), entry], why);
      });
    };
    if (gateway) add("AF_INET", route, "IPv4");
    if (gateway6) add("AF_INET6", route6, "IPv6");
  }
}

function withSocket(
  steps: Steps,
  family: "AF_INET" | "AF_INET6",
  why: string,
  body: (socket: Register) => void,
): void {
  steps.scope(() => {
    const kind = flags("SOCK_DGRAM", "SOCK_CLOEXEC");
    const hint = `this kernel has no IPv${family === "AF_INET" ? 4 : 6}: use --network none or host`;
    const socket = steps.keep("socket", [flags(family), kind, 0], why, { hint });
    body(socket);
    steps.call("close", [socket], why);
  });
}

/** A `struct ifreq` about the interface. @see netdevice(7) */
function request(name: string): Uint8Array {
  const memory = new Uint8Array(40);
  memory.set(Buffer.from(name).subarray(0, 15));
  return memory;
}
