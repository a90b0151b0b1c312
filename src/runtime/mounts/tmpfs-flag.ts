import { TsimgError } from "../../sys/error.ts";
import { checkDestination } from "./destination.ts";
import type { TmpfsRequest } from "./mount-request.ts";

const DEFAULT_OPTIONS = ["nosuid", "nodev", "noexec"];

const FLAGS = [
  "ro rw suid nosuid dev nodev exec noexec sync async dirsync mand nomand atime noatime",
  "diratime nodiratime relatime norelatime strictatime nostrictatime iversion noiversion",
  "private rprivate shared rshared slave rslave unbindable runbindable",
].flatMap((line) => line.split(" "));

const VALUES = /^(size|nr_blocks|nr_inodes|mode|uid|gid|mpol|huge)=[\w.:%,/-]{1,64}$/;

/**
 * Reads one `--tmpfs destination[:options]`.
 *
 * @throws TsimgError ERR_USAGE
 */
export function parseTmpfsFlag(text: string): TmpfsRequest {
  const colon = text.indexOf(":");
  const destination = checkDestination(colon < 0 ? text : text.slice(0, colon), text);
  const options = colon < 0 ? [] : text.slice(colon + 1).split(",");
  for (const option of options) {
    if (FLAGS.includes(option) || VALUES.test(option)) continue;
    throw new TsimgError(
      "ERR_USAGE",
      `invalid option "${option.slice(0, 64)}" in --tmpfs ${destination}`,
      { hint: "as in --tmpfs /run:rw,exec,size=64m,mode=1777" },
    );
  }
  return tmpfsRequest(destination, options);
}

/** Options of the user come after the careful defaults and win over them. */
export function tmpfsRequest(destination: string, options: readonly string[]): TmpfsRequest {
  const defaults = DEFAULT_OPTIONS.filter((option) => !options.includes(option.slice("no".length)));
  return { kind: "tmpfs", destination, options: [...new Set([...defaults, ...options])] };
}
