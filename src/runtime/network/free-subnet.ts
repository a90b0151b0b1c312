import { TsimgError } from "../../sys/error.ts";
import { randomHex } from "../../sys/random.ts";
import { overlaps, parseSubnet, type Subnet } from "./subnet.ts";

/*
 * Of 10.0.0.0/8 what docker (172.16.0.0/12, 192.168.0.0/16), podman (10.88 and up),
 * Kubernetes (10.96, 10.244) and libvirt (192.168.122) don't take by default.
 */
const DEFAULT_SECOND_BYTES = [66, 67, 68, 69, 70, 71, 72, 73, 74, 75];
const USER_SECOND_BYTES = [76, 77, 78, 79, 80, 81, 82, 83];

/**
 * A /16 for the default network that overlaps none of `taken`; a /24 on a machine with many
 * stores. @throws TsimgError ERR_NETWORK
 */
export function freeDefaultSubnet(taken: readonly Subnet[]): Subnet {
  const wide = DEFAULT_SECOND_BYTES.map((byte) => `10.${byte}.0.0/16`);
  return firstFree([...wide, ...userSubnets()], taken);
}

/** A /24 for a user's network that overlaps none of `taken`. @throws TsimgError ERR_NETWORK */
export function freeUserSubnet(taken: readonly Subnet[]): Subnet {
  return firstFree(userSubnets(), taken);
}

function userSubnets(): readonly string[] {
  const thirdBytes = Array.from({ length: 256 }, (_, third) => third);
  return USER_SECOND_BYTES.flatMap((second) =>
    thirdBytes.map((third) => `10.${second}.${third}.0/24`),
  );
}

/** A /64 of addresses that are nobody else's in the world, most likely. @see RFC 4193 */
export function freeSubnet6(taken: readonly Subnet[]): Subnet {
  const candidates = Array.from({ length: 8 }, () => {
    const digits = randomHex(10);
    return `fd${digits.slice(0, 2)}:${digits.slice(2, 6)}:${digits.slice(6)}::/64`;
  });
  return firstFree(candidates, taken);
}

function firstFree(candidates: readonly string[], taken: readonly Subnet[]): Subnet {
  for (const text of candidates) {
    const subnet = parseSubnet(text, "--subnet");
    if (!taken.some((other) => overlaps(subnet, other))) return subnet;
  }
  throw new TsimgError("ERR_NETWORK", "no free range of addresses is left for a network", {
    hint: "choose one yourself with --subnet, or remove networks: tsimg network prune",
  });
}
