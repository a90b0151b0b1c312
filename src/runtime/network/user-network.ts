import { join } from "node:path";
import { TsimgError } from "../../sys/error.ts";
import { programPath } from "../../sys/run-program.ts";
import { NAMESPACE_PATH } from "./ip-batch.ts";
import type { UserNetwork } from "./network-choice.ts";
import type { NetworkRequest } from "./network-request.ts";
import type { PortRequest } from "./port-request.ts";

/** A program of the user's that connects a network namespace to the host's network. */
export interface UserNetworkLaunch {
  readonly program: string;
  readonly args: readonly string[];
  /**
   * A FIFO of which descriptor 101 is the program's, for a word that it is ready; it then ends
   * with the launcher. Without one it goes to the background by itself, and ends with the
   * namespace.
   */
  readonly ready?: string;
}

/** Where slirp4netns answers name look-ups. @see slirp4netns(1) */
const SLIRP_DNS = "10.0.2.3";

/** Which program there is, the better one first. */
export function usualUserNetwork(): UserNetwork | undefined {
  return (["pasta", "slirp4netns"] as const).find((name) => programPath(name) !== undefined);
}

/** The request with the name server that only this kind of network has. */
export function withUserDns(request: NetworkRequest, program: UserNetwork): NetworkRequest {
  if (program === "pasta" || request.dns.servers.length > 0) return request;
  return { ...request, dns: { ...request.dns, servers: [SLIRP_DNS] } };
}

/**
 * How the program is started for a container.
 *
 * @throws TsimgError ERR_USAGE for what it can't do, ERR_NETWORK when it isn't installed
 * @see passt(1), slirp4netns(1)
 */
export function userNetworkLaunch(
  name: UserNetwork,
  publish: readonly PortRequest[],
  stateDirectory: string,
): UserNetworkLaunch {
  const program = programPath(name);
  if (program === undefined) {
    throw new TsimgError("ERR_NETWORK", `"${name}" is not installed`, {
      hint: `install ${name === "pasta" ? "passt" : name}, or use --network none`,
    });
  }
  if (name === "pasta") {
    const ports = publish.flatMap(pastaPort);
    // Nothing but what is asked for: by default it passes on every port that is bound.
    const quiet = ["-t", "none", "-u", "none", "-T", "none", "-U", "none"];
    const given = ports.length > 0 ? [...ports, ...quiet.slice(4)] : quiet;
    const where = ["--netns-only", "--netns", NAMESPACE_PATH];
    // Else the gateway's address would be the host's loopback, with all that listens there.
    return { program, args: ["--config-net", "--quiet", "--no-map-gw", ...given, ...where] };
  }
  if (publish.length > 0) {
    throw new TsimgError("ERR_USAGE", "slirp4netns publishes no ports", {
      hint: "install passt and use --network pasta",
    });
  }
  const how = ["--configure", "--mtu=65520", "--disable-host-loopback", "--ready-fd=101"];
  const args = [...how, "--netns-type=path", NAMESPACE_PATH, "tap0"];
  return { program, args, ready: join(stateDirectory, "network.ready") };
}

function pastaPort({ hostAddress, hostPorts, port, protocol }: PortRequest): readonly string[] {
  if (protocol === "sctp") throw new TsimgError("ERR_USAGE", "pasta publishes tcp and udp only");
  const [first, last] = hostPorts ?? [];
  if (first === undefined || last !== first) {
    throw new TsimgError("ERR_USAGE", "pasta needs a port of the host for each port", {
      hint: `write -p 8080:${port}`,
    });
  }
  const address = hostAddress === "" ? "" : `${hostAddress}/`;
  return [protocol === "udp" ? "-u" : "-t", `${address}${first}:${port}`];
}
