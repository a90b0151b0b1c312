import { TsimgError } from "../../sys/error.ts";

/**
 * Checks a name that goes into /etc/hosts: a space or a line feed in it would be a line of
 * its own there.
 *
 * @param what "hostname", "alias": for the message
 * @param most bytes; the kernel takes 64 for a host's own name
 * @throws TsimgError ERR_USAGE
 */
export function checkHostName(name: string, what: string, most = 253): string {
  const good = /^[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?$/.test(name) && name.length <= most;
  if (good) return name;
  throw new TsimgError("ERR_USAGE", `invalid ${what} "${name.slice(0, 64)}"`, {
    hint: `use up to ${most} letters, digits, dots, hyphens and underscores`,
  });
}
