import { TsimgError } from "../sys/error.ts";
import { parseGroup, parseId } from "./accounts.ts";
import type { Accounts } from "./user.ts";

/**
 * The numbers of `--group-add`: groups of the image's /etc/group by name, or any by number.
 *
 * @returns to be joined to `process.user.additionalGids`
 * @throws TsimgError ERR_CONFIG_INVALID for a name that the image doesn't know
 */
export function extraGroups(texts: readonly string[], accounts: Accounts): readonly number[] {
  const groups = parseGroup(accounts.group);
  const numbers = texts.map((text) => {
    const gid = parseId(text) ?? groups.find((entry) => entry.name === text)?.gid;
    if (gid !== undefined) return gid;
    throw new TsimgError(
      "ERR_CONFIG_INVALID",
      `unknown group "${text.slice(0, 128)}" in --group-add: the image's /etc/group has no such entry`,
      { hint: "choose one that it has, or give a number" },
    );
  });
  return [...new Set(numbers)];
}
