import type { App } from "../app.ts";
import { openContainerRoot, openHostRoot } from "../runtime/copy/container-root.ts";
import { copyFromArchive, copyToArchive, copyTree } from "../runtime/copy/copy.ts";
import { type CopyArgument, parseCopyArgument } from "../runtime/copy/copy-argument.ts";
import type { CopyRoot } from "../runtime/copy/copy-root.ts";
import type { CopyCount } from "../runtime/copy/copy-rules.ts";
import { errorCode } from "../sys/errno.ts";
import { TsimgError } from "../sys/error.ts";
import { Command } from "./command.ts";
import { archiveFromInput } from "./cp/archive-input.ts";
import { openApp } from "./globals.ts";
import { printBytes } from "./output/print.ts";
import { formatSize } from "./output/size.ts";
import { requireRoot } from "./require-root.ts";

interface Flags {
  readonly archive: boolean;
  readonly followLink: boolean;
  readonly quiet: boolean;
}

type Place = Exclude<CopyArgument, { readonly kind: "stream" }>;

const EXAMPLES = `
Examples:
  $ tsimg cp web:/etc/nginx/nginx.conf .
  $ tsimg cp ./site/. web:/srv/www               what is in the directory, without itself
  $ tsimg cp -a web:/var/lib/data backup         with its owners and all
  $ tsimg cp web:/var/log - | tar t
  $ tar c . | tsimg cp - web:/srv
`;

/** `tsimg cp`: src/runtime/copy copies. */
export function command(): Command {
  return new Command("cp")
    .description("copy files between a container, running or not, and the host")
    .argument("<source>", "CONTAINER:PATH, a path of the host, or - for a tar archive on stdin")
    .argument("<destination>", "CONTAINER:PATH, a path, or - for a tar archive on stdout")
    .option("-a, --archive", "keep owners, and all else that a container's files claim", false)
    .option("-L, --follow-link", "copy what a symlink at the source leads to", false)
    .option("-q, --quiet", "say nothing of what was copied", false)
    .addHelpText("after", EXAMPLES)
    .action(async (source: string, destination: string, flags: Flags, command: Command) => {
      const from = parseCopyArgument(source, process.cwd());
      const to = parseCopyArgument(destination, process.cwd());
      checkSides(from, to);
      requireRoot("copying to and from containers");
      using app = openApp(command);
      try {
        tell(await copy(app, from, to, flags), destination, flags.quiet);
      } catch (error) {
        // Whoever reads the archive has seen enough.
        if (to.kind !== "stream" || errorCode(error) !== "EPIPE") throw error;
      }
    });
}

async function copy(
  app: App,
  from: CopyArgument,
  to: CopyArgument,
  { archive, followLink }: Flags,
): Promise<CopyCount> {
  // An archive says itself who owns what is in it.
  if (from.kind === "stream" && to.kind !== "stream") {
    using root = rootOf(app, to, "rw");
    const rules = { owner: undefined, trusted: true };
    return await copyFromArchive(archiveFromInput(), { root, path: to.path }, rules);
  }
  if (from.kind === "stream") throw bothStreams();
  using source = rootOf(app, from, "ro");
  const origin = { root: source, path: from.path, follow: followLink };
  if (to.kind === "stream")
    return copyToArchive(origin, printBytes, { owner: undefined, trusted: true });
  using target = rootOf(app, to, "rw");
  const goesIn = to.kind === "container";
  const owner = goesIn ? ROOT : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const rules = { owner: archive ? undefined : owner, trusted: archive || goesIn };
  return copyTree(origin, { root: target, path: to.path }, rules);
}

const ROOT = { uid: 0, gid: 0 };

function rootOf(app: App, place: Place, mode: "ro" | "rw"): CopyRoot & Disposable {
  if (place.kind === "host") return openHostRoot();
  return openContainerRoot(app, app.containers.existing(place.container), mode);
}

function checkSides(from: CopyArgument, to: CopyArgument): void {
  if (from.kind === "stream" && to.kind === "stream") throw bothStreams();
  const containers = [from, to].filter(({ kind }) => kind === "container").length;
  if (containers === 1) return;
  if (containers === 2)
    throw new TsimgError("ERR_USAGE", "copying between containers is not supported", {
      hint: "copy by way of the host: tsimg cp a:/x - | tsimg cp - b:/",
    });
  throw new TsimgError("ERR_USAGE", "must specify at least one container source", {
    hint: "write CONTAINER:PATH for the source or the destination",
  });
}

function bothStreams(): TsimgError {
  return new TsimgError("ERR_USAGE", "source and destination can't both be '-'");
}

/** As docker, only to a person; what was left out is told to everybody. */
function tell(count: CopyCount, destination: string, quiet: boolean): void {
  const left = [
    [count.devices, "device nodes"],
    [count.sockets, "sockets"],
    [count.kernelDirectories, "file systems of the kernel"],
  ].flatMap(([number, what]) => (number === 0 ? [] : `${number} ${what}`));
  if (left.length > 0) process.stderr.write(`tsimg: left out: ${left.join(", ")}\n`);
  if (quiet || !process.stderr.isTTY) return;
  process.stderr.write(`Successfully copied ${formatSize(count.bytes)} to ${destination}\n`);
}
