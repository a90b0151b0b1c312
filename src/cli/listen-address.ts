import { isIPv4, isIPv6 } from "node:net";
import { InvalidArgumentError } from "./command.ts";

export interface ListenAddress {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
}

/** Parses `127.0.0.1:5000`, `localhost:0` or `[::1]:5000`. */
export function parseListenAddress(text: string): ListenAddress {
  const [, bracketed, plain, digits] =
    /^(?:\[([^\]]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  const valid = bracketed === undefined || isIPv6(bracketed);
  if (host !== undefined && valid && port <= 65_535) return { host, port };
  throw new InvalidArgumentError("write address:port, as in 127.0.0.1:5000 or [::1]:5000");
}

/** True for addresses that only this machine reaches. */
export function isLoopback({ host }: ListenAddress): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}
