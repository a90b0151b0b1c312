import { TsimgError } from "../../sys/error.ts";
import { type Address, addressBytes } from "./address.ts";

/** "Locally administered" is the second lowest bit of the first byte; 0x74 is a "t". */
const OWN_PREFIX = [0x02, 0x74];

/**
 * The hardware address of whoever has an IPv4 address. Two containers that have the same
 * address one after the other have it in common, so that what neighbours remember stays true.
 */
export function macFor(address: Address): string {
  const end = addressBytes(address).slice(-4);
  return [...OWN_PREFIX, ...end].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/**
 * Checks a `--mac-address`.
 *
 * @returns it in lower case, with colons
 * @throws TsimgError ERR_USAGE, also for one that names a group of machines
 */
export function parseMac(text: string): string {
  const mac = text.trim().toLowerCase().replaceAll("-", ":");
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac)) throw badMac(text, "it is not six pairs of hex");
  if (mac === "00:00:00:00:00:00") throw badMac(text, "it is nobody's");
  if (Number.parseInt(mac.slice(0, 2), 16) % 2 === 1) throw badMac(text, "it names a group");
  return mac;
}

function badMac(text: string, why: string): TsimgError {
  return new TsimgError("ERR_USAGE", `invalid MAC address "${text.slice(0, 64)}": ${why}`, {
    hint: "as in --mac-address 02:42:ac:11:00:02",
  });
}
