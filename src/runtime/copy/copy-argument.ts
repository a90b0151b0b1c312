import { posix } from "node:path";
import { TsimgError } from "../../sys/error.ts";

/** One of the two arguments of `cp`. */
export type CopyArgument =
  | { readonly kind: "stream" }
  | { readonly kind: "host"; readonly path: CopyPath }
  /** Name or ID. */
  | { readonly kind: "container"; readonly container: string; readonly path: CopyPath };

export interface CopyPath {
  /** Absolute, without `.`, `..` and a slash at the end. */
  readonly path: string;
  /** Written with a slash or `/.` at the end: it is to be a directory. */
  readonly isDirectory: boolean;
  /** Written with `/.` at the end: what is in the directory, without itself. */
  readonly isContents: boolean;
}

/**
 * Reads an argument as docker does: `-`, `container:path`, or a path of the host, which starts
 * with a slash or a dot when it has a colon.
 *
 * @param workingDirectory absolute; paths in a container start from its root
 * @throws TsimgError ERR_USAGE
 */
export function parseCopyArgument(text: string, workingDirectory: string): CopyArgument {
  if (text === "-") return { kind: "stream" };
  const colon = text.indexOf(":");
  if (colon <= 0 || text.startsWith("/") || text.startsWith("."))
    return { kind: "host", path: parsePath(text, workingDirectory) };
  const container = text.slice(0, colon);
  return { kind: "container", container, path: parsePath(text.slice(colon + 1), "/") };
}

function parsePath(text: string, start: string): CopyPath {
  if (text === "" || text.includes("\0"))
    throw new TsimgError("ERR_USAGE", "a path to copy is empty", {
      hint: "as in tsimg cp web:/etc/hosts . and tsimg cp page.html web:/srv/",
    });
  const isContents = /(^|\/)\.$/.test(text);
  const isDirectory = isContents || text.endsWith("/");
  return { path: posix.resolve(start, text), isDirectory, isContents };
}
