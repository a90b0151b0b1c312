/** A line of an image's /etc/passwd. */
export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** A line of an image's /etc/group. */
export interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** (uid_t)-1 means "don't change" to the kernel and so is nobody's number. */
export const MAX_ID = 2 ** 32 - 2;

/** What an image's account files may hold before the rest is ignored. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Reads what a hostile image calls /etc/passwd; lines that make no sense are skipped. */
export function parsePasswd(file: Buffer | undefined): readonly PasswdEntry[] {
  const entries: PasswdEntry[] = [];
  for (const [name = "", , uid = "", gid = "", , home = ""] of fields(file)) {
    const numbers = { uid: parseId(uid), gid: parseId(gid) };
    if (name === "" || numbers.uid === undefined || numbers.gid === undefined) continue;
    entries.push({ name, uid: numbers.uid, gid: numbers.gid, home });
  }
  return entries;
}

/** Reads what a hostile image calls /etc/group; lines that make no sense are skipped. */
export function parseGroup(file: Buffer | undefined): readonly GroupEntry[] {
  const entries: GroupEntry[] = [];
  for (const [name = "", , gid = "", members = ""] of fields(file)) {
    const number = parseId(gid);
    if (name === "" || number === undefined) continue;
    entries.push({ name, gid: number, members: members.split(",").filter((one) => one !== "") });
  }
  return entries;
}

/** A decimal uid or gid, undefined for anything else. */
export function parseId(text: string): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= MAX_ID ? id : undefined;
}

function fields(file: Buffer | undefined): readonly string[][] {
  if (file === undefined) return [];
  return file
    .subarray(0, MAX_BYTES)
    .toString("utf8")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.includes("\0"))
    .map((line) => line.split(":"));
}
