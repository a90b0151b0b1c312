import { createHash } from "node:crypto";

/** A file's content on one line: itself as long as it is short, else its length and digest. */
export function contentLine(content: Buffer): string {
  if (content.length <= 200) return content.toString("latin1");
  const digest = createHash("sha256").update(content).digest("hex");
  return `${content.length} bytes ${digest.slice(0, 16)}`;
}
