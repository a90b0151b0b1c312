import { isIPv4 } from "node:net";

/**
 * Where a registry may answer, in the order to try: HTTPS, but plain HTTP first on loopback
 * hosts and HTTP only when the user asked for it.
 */
export function endpointsOf(registry: string, plainHttp: boolean): readonly URL[] {
  const host = registry === "docker.io" ? "registry-1.docker.io" : registry;
  const [plain, tls] = [new URL(`http://${host}/`), new URL(`https://${host}/`)];
  if (plainHttp) return [plain];
  return isLoopbackHost(plain) ? [plain, tls] : [tls];
}

/** True for `localhost`, 127.0.0.0/8 and ::1: names that never leave this machine. */
export function isLoopbackHost(url: URL): boolean {
  const { hostname } = url;
  if (hostname === "localhost" || hostname === "[::1]") return true;
  return isIPv4(hostname) && hostname.startsWith("127.");
}
