import { spawn } from "node:child_process";
import { once } from "node:events";

/** Byte strings are kept as latin1: a path need not be UTF-8. */
export type XattrsByPath = ReadonlyMap<string, string>;

/**
 * All extended attributes below `root`, by path relative to it ("." is the root), as lines
 * `name=0xhex` in order of name. Paths without any are left out.
 */
export async function xattrsBelow(root: string): Promise<XattrsByPath> {
  const args = ["-R", "-P", "-h", "-d", "-m", "-", "-e", "hex", "--absolute-names", "."];
  const getfattr = spawn("getfattr", args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(getfattr, "close");
  const chunks: Buffer[] = [];
  for await (const chunk of getfattr.stdout) chunks.push(chunk);
  const [status] = await closed;
  if (status !== 0) throw new Error(`getfattr of "${root}" ended with status ${status}`);
  return parseDump(Buffer.concat(chunks).toString("latin1"));
}

/** One paragraph a path: `# file: PATH`, then `name=0xhex` lines; see getfattr(1). */
function parseDump(dump: string): XattrsByPath {
  const found = new Map<string, string>();
  for (const paragraph of dump.split("\n\n")) {
    const [head = "", ...lines] = paragraph.split("\n").filter((line) => line !== "");
    if (!head.startsWith("# file: ")) continue;
    const path = unescapeOctal(head.slice("# file: ".length)).replace(/^\.\//, "");
    found.set(path, lines.sort().join(" "));
  }
  return found;
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
