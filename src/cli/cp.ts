import type { App } from "../app.ts";
import { openContainerRoot, openHostRoot } from "../runtime/copy/container-root.ts";
import { copyFromArchive, copyToArchive, copyTree } from "../runtime/copy/copy.ts";
import { type CopyArgument, parseCopyArgument } from "../runtime/copy/copy-argument.ts";
import type { CopyRoot } from "../runtime/copy/copy-root.ts";
import type { CopyCount, CopyRules } from "../runtime/copy/copy-rules.ts";
import type { Owner } from "../runtime/copy/describe.ts";
import { firstOwner, ownerMaps, toContainer, toHost } from "../runtime/copy/owner-maps.ts";
import type { IdMaps } from "../runtime/userns/choose-maps.ts";
import { errorCode } from "../sys/errno.ts";
import { TsimgError } from "../sys/error.ts";
import { makeFilesAs } from "../sys/make-files-as.ts";
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
    using target = placeOf(app, to, "rw");
    const place = { root: target.root, path: to.path };
    using _files = target.writer();
    return await copyFromArchive(archiveFromInput(), place, target.keeping);
  }
  if (from.kind === "stream") throw bothStreams();
  using source = placeOf(app, from, "ro");
  const origin = { root: source.root, path: from.path, follow: followLink };
  if (to.kind === "stream") return copyToArchive(origin, printBytes, source.keeping);
  using target = placeOf(app, to, "rw");
  const isOut = to.kind === "host";
  const given: CopyRules = { owner: isOut ? caller() : toHost(target.maps, ROOT), trusted: !isOut };
  const kept = isOut ? source.keeping : target.keeping;
  using _files = target.writer();
  return copyTree(origin, { root: target.root, path: to.path }, archive ? kept : given);
}

/** One side of a copy. */
interface OpenPlace extends Disposable {
  readonly root: CopyRoot;
  /** Files keep their owners, by the numbers that the container has for them. */
  readonly keeping: CopyRules;
  readonly maps: IdMaps | undefined;
  /** Has files made in a way that mapped mounts accept. */
  readonly writer: () => Disposable | undefined;
}

function placeOf(app: App, place: Place, mode: "ro" | "rw"): OpenPlace {
  const container = place.kind === "host" ? undefined : app.containers.existing(place.container);
  const maps = container === undefined ? undefined : ownerMaps(container);
  const root = container === undefined ? openHostRoot() : openContainerRoot(app, container, mode);
  const map = mode === "rw" ? toHost : toContainer;
  return {
    root,
    keeping: { owner: (owner) => map(maps, owner), trusted: true },
    maps,
    writer: () => (maps === undefined ? undefined : makeFilesAs(firstOwner(maps))),
    [Symbol.dispose]: () => root[Symbol.dispose](),
  };
}

const ROOT: Owner = { uid: 0, gid: 0 };

function caller(): Owner {
  return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
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
