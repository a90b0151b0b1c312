import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Mount } from "../../oci/runtime-spec.ts";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { type HostsEntry, hostsLines, initialHosts } from "./hosts-file.ts";
import { HOST_GATEWAY, type NetworkRequest } from "./network-request.ts";
import type { NetworkRow } from "./network-row.ts";
import { resolvConf } from "./resolv-conf.ts";

/** Files of /etc that depend on the container, by their names in its state directory. */
const FILES = ["resolv.conf", "hostname", "hosts"] as const;

/** The mounts that show a container the files of a state directory: its own or another's. */
export function networkFileMounts(stateDirectory: string): readonly Mount[] {
  return FILES.map((name) => ({
    destination: `/etc/${name}`,
    type: "bind",
    source: join(stateDirectory, name),
    options: ["rbind", "rprivate", "rw"],
  }));
}

/**
 * Writes the files of a container that starts; who is in its networks comes into them later.
 *
 * @param networks those that it is in, in the order of its interfaces
 * @throws TsimgError ERR_USAGE for a `host-gateway` that there isn't
 */
export function writeNetworkFiles(
  stateDirectory: string,
  hostname: string,
  request: NetworkRequest,
  networks: readonly NetworkRow[],
): void {
  const write = (name: (typeof FILES)[number], text: string) => {
    const path = join(stateDirectory, name);
    writeFileSync(path, text);
    // Whatever the caller's umask is: the container's users must be able to read it.
    chmodSync(path, 0o644);
  };
  const onHost = request.choice.kind === "host";
  const ipv6 = networks.some(({ subnet6 }) => subnet6 !== null);
  const extra = request.extraHosts.map(({ name, address }) => ({
    addresses: address === HOST_GATEWAY ? hostAddresses(request, networks) : [address],
    names: [name],
  }));
  write("hostname", `${hostname}\n`);
  write("hosts", onHost ? hostsOfHost(extra) : initialHosts(extra));
  write("resolv.conf", resolverText(request, onHost, ipv6));
}

function resolverText(request: NetworkRequest, onHost: boolean, ipv6: boolean): string {
  const { dns } = request;
  const asked = dns.servers.length + dns.search.length + dns.options.length > 0;
  if (request.choice.kind === "none" && !asked) return "# no network\n";
  const files = {
    resolvConf: read("/etc/resolv.conf"),
    systemdResolved: read("/run/systemd/resolve/resolv.conf"),
  };
  return resolvConf(dns, files, onHost ? "host" : { ipv6 });
}

function hostsOfHost(extra: readonly HostsEntry[]): string {
  const host = read("/etc/hosts");
  if (host === undefined) return initialHosts(extra);
  return (host.endsWith("\n") || host === "" ? host : `${host}\n`) + hostsLines(extra);
}

/** Where the container finds the host. */
function hostAddresses(
  { choice }: NetworkRequest,
  networks: readonly NetworkRow[],
): readonly string[] {
  if (choice.kind === "host") return ["127.0.0.1"];
  const [first] = networks;
  if (first !== undefined)
    return [first.gateway, ...(first.gateway6 === null ? [] : [first.gateway6])];
  throw new TsimgError("ERR_USAGE", `--add-host: there is no "${HOST_GATEWAY}" here`, {
    hint: "it needs a container on a bridge network",
  });
}

function read(path: string): string | undefined {
  return tolerating(["ENOENT", "EACCES", "ENOTDIR"], () => readFileSync(path, "utf8"));
}
