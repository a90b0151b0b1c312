import type { Command } from "../command.ts";
import { each, NONE } from "./each.ts";

/**
 * Declares the network flags of `run` and `create`: together they are `NetworkFlags`. `-h` is
 * the host name's, so that the command's help is `--help` alone.
 */
export function networkOptions(command: Command): Command {
  return command
    .option(
      "--network <network>",
      "bridge (default), none, host, container:NAME, ns:PATH, or NAME[:ip=..,alias=..]; may be repeated",
      each,
      NONE,
    )
    .option("--net <network>", "the same as --network", each, NONE)
    .option("--network-alias <name>", "a further name in the network", each, NONE)
    .option("--ip <address>", "IPv4 address, e.g. 10.20.0.7")
    .option("--ip6 <address>", "IPv6 address, e.g. fd12:3456::7")
    .option("--mac-address <address>", "hardware address, e.g. 02:42:ac:11:00:02")
    .option("-h, --hostname <name>", "host name in the container")
    .option("--domainname <name>", "its domain")
    .option(
      "--add-host <name:address>",
      "a line in /etc/hosts; host-gateway is the host",
      each,
      NONE,
    )
    .option("--dns <address>", "name server", each, NONE)
    .option("--dns-search <domain>", "domain to search for names; . is none", each, NONE)
    .option("--dns-option <option>", "option of resolv.conf, e.g. ndots:2", each, NONE)
    .option(
      "-p, --publish <[[ip:]port:]port>",
      "publish a port on the host, e.g. 127.0.0.1:8080:80/tcp",
      each,
      NONE,
    )
    .option("-P, --publish-all", "publish every exposed port on a free port of the host", false)
    .option(
      "--expose <port>",
      "say that the container listens there, e.g. 80 or 53/udp",
      each,
      NONE,
    );
}
