import { join } from "node:path";
import type { Mount } from "../oci/runtime-spec.ts";

/** A file of the host that the container sees as one of its own. */
export interface GeneratedFile {
  /** Absolute, on the host. */
  readonly path: string;
  readonly content: string;
  /** Absolute, in the container. */
  readonly destination: string;
}

export interface NetworkFacts {
  readonly hostname: string;
  readonly network: "none" | "host";
  /** The host's own files, for containers on its network. */
  readonly hostFiles: { readonly hosts?: string; readonly resolvConf?: string };
}

const LOOPBACK_HOSTS = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;

/**
 * The files in /etc that depend on the container and not on its image.
 *
 * @param directory where the caller writes them
 */
export function networkFiles(directory: string, facts: NetworkFacts): readonly GeneratedFile[] {
  const onHost = facts.network === "host";
  const hosts = (onHost ? facts.hostFiles.hosts : undefined) ?? LOOPBACK_HOSTS;
  const resolvConf = (onHost ? facts.hostFiles.resolvConf : undefined) ?? "# no network\n";
  const file = (name: string, content: string) => {
    return { path: join(directory, name), content, destination: `/etc/${name}` };
  };
  return [
    file("resolv.conf", resolvConf),
    file("hostname", `${facts.hostname}\n`),
    file("hosts", hosts),
  ];
}

export function generatedFileMount({ path, destination }: GeneratedFile): Mount {
  return { destination, type: "bind", source: path, options: ["rbind", "rprivate", "rw"] };
}
