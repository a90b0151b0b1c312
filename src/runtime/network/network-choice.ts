import { isAbsolute } from "node:path";
import { TsimgError } from "../../sys/error.ts";
import { canonical } from "./address.ts";
import { checkHostName } from "./host-name.ts";
import { parseMac } from "./mac-address.ts";
import type { NetworkFlags } from "./network-flags.ts";
import { DEFAULT_NETWORK } from "./network-row.ts";

export type UserNetwork = "pasta" | "slirp4netns";

/** Whose network a container is on. Plain data: it is kept with the container. */
export type NetworkChoice =
  | { readonly kind: "none" }
  | { readonly kind: "host" }
  /** That of another container, by name or ID. */
  | { readonly kind: "container"; readonly container: string }
  /** That of a namespace file. */
  | { readonly kind: "path"; readonly path: string }
  /** One of its own, connected by a program that needs no rights: an ordinary user's. */
  | { readonly kind: "user"; readonly program: UserNetwork }
  /** One of its own, with an interface for each: eth0, eth1, … */
  | { readonly kind: "networks"; readonly attachments: readonly Attachment[] };

/** A container's place in one network. What is absent is chosen when it starts. */
export interface Attachment {
  /** Name or ID of the network. */
  readonly network: string;
  readonly address?: string;
  readonly address6?: string;
  readonly mac?: string;
  /** Further names of the container in this network. */
  readonly aliases: readonly string[];
}

const ALONE = ["none", "host"];

/**
 * What `--network`, `--ip`, `--ip6`, `--mac-address` and `--network-alias` say together; with
 * several networks the last four are about the first.
 *
 * @throws TsimgError ERR_USAGE
 */
export function parseNetworkChoice(flags: NetworkFlags): NetworkChoice {
  const given = [...flags.network, ...flags.net];
  const words = given.length === 0 ? [DEFAULT_NETWORK] : given;
  const choices = words.map(parseNetwork);
  const [first] = choices;
  if (first === undefined || choices.length === 1)
    return withFlags(first ?? { kind: "none" }, flags);
  const attachments = choices.flatMap((choice) =>
    choice.kind === "networks" ? choice.attachments : [],
  );
  if (attachments.length < choices.length)
    throw new TsimgError("ERR_USAGE", "conflicting options: --network", {
      hint: "none, host, container: and ns: go with no other network",
    });
  const names = attachments.map(({ network }) => network);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new TsimgError("ERR_USAGE", `network "${twice}" is specified more than once`);
  return withFlags({ kind: "networks", attachments }, flags);
}

function parseNetwork(text: string): NetworkChoice {
  if (ALONE.includes(text)) return { kind: text as "none" | "host" };
  if (text === "pasta" || text === "slirp4netns") return { kind: "user", program: text };
  const [prefix, rest] = splitAtColon(text);
  if (prefix === "container") {
    if (rest !== undefined && rest !== "") return { kind: "container", container: rest };
    throw badNetwork(text, "write container:NAME");
  }
  if (prefix === "ns") {
    if (rest !== undefined && isAbsolute(rest)) return { kind: "path", path: rest };
    throw badNetwork(text, "write ns:PATH, the path absolute, as in ns:/run/netns/blue");
  }
  const long = text.startsWith("name=");
  const options = long ? text.split(",") : (rest?.split(",") ?? []);
  const attachment = parseAttachment(long ? "" : prefix, options, text);
  return { kind: "networks", attachments: [attachment] };
}

function parseAttachment(name: string, options: readonly string[], text: string): Attachment {
  const aliases: string[] = [];
  const found: { network: string; address?: string; address6?: string; mac?: string } = {
    network: name === "default" ? DEFAULT_NETWORK : name,
  };
  for (const option of options) {
    const equals = option.indexOf("=");
    const key = option.slice(0, Math.max(equals, 0));
    const value = option.slice(equals + 1);
    if (key === "name") found.network = value;
    else if (key === "alias") aliases.push(checkHostName(value, "alias"));
    else if (key === "ip") found.address = parseIp(value, 4);
    else if (key === "ip6") found.address6 = parseIp(value, 6);
    else if (key === "mac" || key === "mac-address") found.mac = parseMac(value);
    else throw badNetwork(text, "the options are ip=, ip6=, mac= and alias=");
  }
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(found.network))
    throw badNetwork(text, '"tsimg network ls" lists the networks');
  return { ...found, aliases };
}

function withFlags(choice: NetworkChoice, flags: NetworkFlags): NetworkChoice {
  const { ip, ip6, macAddress, networkAlias } = flags;
  const any = ip !== undefined || ip6 !== undefined || macAddress !== undefined;
  if (choice.kind !== "networks") {
    if (!any && networkAlias.length === 0) return choice;
    throw new TsimgError(
      "ERR_USAGE",
      "conflicting options: address or alias and the network mode",
      {
        hint: "--ip, --ip6, --mac-address and --network-alias need a network of the container's own",
      },
    );
  }
  const [first, ...others] = choice.attachments;
  if (first === undefined) return choice;
  const changed: Attachment = {
    ...first,
    ...(ip !== undefined && { address: parseIp(ip, 4) }),
    ...(ip6 !== undefined && { address6: parseIp(ip6, 6) }),
    ...(macAddress !== undefined && { mac: parseMac(macAddress) }),
    aliases: [...first.aliases, ...networkAlias.map((name) => checkHostName(name, "alias"))],
  };
  return { kind: "networks", attachments: [changed, ...others] };
}

/** @throws TsimgError ERR_USAGE */
export function parseIp(text: string, family: 4 | 6): string {
  const address = canonical(text, family);
  if (address !== undefined) return address;
  throw new TsimgError("ERR_USAGE", `invalid IPv${family} address "${text.slice(0, 64)}"`, {
    hint: family === 4 ? "as in --ip 10.20.0.7" : "as in --ip6 fd12:3456::7",
  });
}

function splitAtColon(text: string): readonly [string, string | undefined] {
  const colon = text.indexOf(":");
  return colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
}

function badNetwork(text: string, hint: string): TsimgError {
  return new TsimgError("ERR_USAGE", `invalid network "${text.slice(0, 128)}"`, { hint });
}
