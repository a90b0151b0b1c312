import type { User } from "../oci/runtime-spec.ts";
import { TsimgError } from "../sys/error.ts";
import { type GroupEntry, type PasswdEntry, parseGroup, parseId, parsePasswd } from "./accounts.ts";

/** An image's account files, as bytes; undefined when it has none. */
export interface Accounts {
  readonly passwd?: Buffer;
  readonly group?: Buffer;
}

export interface ResolvedUser {
  readonly user: User;
  /** Absolute; "/" when the image doesn't know the user. */
  readonly home: string;
}

/** Fewer than setgroups(2) takes (NGROUPS_MAX), the primary group included. */
const MAX_GROUPS = 65_000;

/**
 * Who the container's process runs as: `name`, `uid`, `name:group`, `uid:gid`, and so on.
 *
 * As docker does: an empty text is root; what looks like a number is one; a number needs no
 * entry in passwd and then has gid 0 and home "/"; supplementary groups are looked up unless a
 * group is given. The primary group is among the supplementary ones, so that a set-gid program
 * can't drop what the group is denied.
 *
 * @throws TsimgError ERR_CONFIG_INVALID for a name that the image doesn't know
 */
export function resolveUser(text: string, accounts: Accounts): ResolvedUser {
  const colon = text.indexOf(":");
  const userText = colon < 0 ? text : text.slice(0, colon);
  const groupText = colon < 0 ? "" : text.slice(colon + 1);

  const entry = findUser(userText === "" ? "0" : userText, parsePasswd(accounts.passwd));
  const groups = parseGroup(accounts.group);
  const gid = groupText === "" ? entry.gid : findGroup(groupText, groups);
  const others = groupText === "" ? membershipsOf(entry.name, groups) : [];
  return {
    user: { uid: entry.uid, gid, additionalGids: [...new Set([gid, ...others])] },
    home: entry.home.startsWith("/") ? entry.home : "/",
  };
}

function findUser(text: string, passwd: readonly PasswdEntry[]): PasswdEntry {
  const uid = parseId(text);
  const known = passwd.find((entry) =>
    uid === undefined ? entry.name === text : entry.uid === uid,
  );
  if (known !== undefined) return known;
  if (uid === undefined) throw unknown("user", text, "/etc/passwd");
  return { name: "", uid, gid: 0, home: "/" };
}

function findGroup(text: string, groups: readonly GroupEntry[]): number {
  const gid = parseId(text) ?? groups.find((entry) => entry.name === text)?.gid;
  if (gid === undefined) throw unknown("group", text, "/etc/group");
  return gid;
}

function membershipsOf(name: string, groups: readonly GroupEntry[]): readonly number[] {
  if (name === "") return [];
  return groups
    .filter((group) => group.members.includes(name))
    .map((group) => group.gid)
    .slice(0, MAX_GROUPS);
}

function unknown(what: string, text: string, file: string): TsimgError {
  return new TsimgError(
    "ERR_CONFIG_INVALID",
    `unknown ${what} "${text.slice(0, 256)}": the image's ${file} has no such entry`,
    { hint: "choose one that it has with --user, or give a number" },
  );
}
