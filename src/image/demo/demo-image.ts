import type { Digest } from "../../oci/digest.ts";
import { hostPlatform } from "../../oci/platform.ts";
import { type ArchiveEntry, directoriesOf, type LayerArchive, packLayer } from "./layer-archive.ts";
import { findPrograms } from "./programs.ts";
import { writeLayout } from "./write-layout.ts";

/** What the demo tells about: paths below the container's root. */
export const DRAFT = "srv/notes/draft";
export const PLAN = "srv/notes/plan";
export const MOTD = "etc/motd";
/** What removes the draft, in an archive. */
export const DRAFT_WHITEOUT = "srv/notes/.wh.draft";

export interface DemoLayer {
  /** What is in it, for people. */
  readonly content: string;
  readonly digest: Digest;
  /** Of the compressed archive, in bytes. */
  readonly size: number;
}

export interface DemoImage {
  readonly manifest: Digest;
  /** Base first. */
  readonly layers: readonly DemoLayer[];
}

interface Recipe {
  readonly content: string;
  readonly entries: readonly ArchiveEntry[];
}

/**
 * Builds an image of three layers from this machine's own programs: the second adds files,
 * the third changes one of them and removes another.
 *
 * @param directory of an OCI layout, where it is written as "latest"; must exist
 * @throws TsimgError ERR_STATE when this machine lacks the programs
 */
export async function buildDemoImage(directory: string): Promise<DemoImage> {
  const recipes = [baseLayer(), notesLayer(), changesLayer()];
  const created = new Date();
  const layers: (LayerArchive & Recipe)[] = [];
  for (const recipe of recipes)
    layers.push({ ...recipe, ...(await packLayer(recipe.entries, created)) });
  const config = {
    created: created.toISOString(),
    ...hostPlatform(),
    config: { Cmd: ["sh"], Env: ["PATH=/bin"], WorkingDir: "/" },
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
    history: recipes.map(({ content }) => ({
      created: created.toISOString(),
      created_by: `tsimg demo: ${content}`,
    })),
  };
  return {
    manifest: writeLayout(directory, config, layers),
    layers: layers.map(({ content, digest, bytes }) => ({ content, digest, size: bytes.length })),
  };
}

function baseLayer(): Recipe {
  const programs = findPrograms();
  const files = [
    ...programs.entries,
    text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
    text("etc/group", "root:x:0:\n"),
    // Mounted over in every container: being there, they don't show up in its changes.
    ...["etc/hosts", "etc/hostname", "etc/resolv.conf"].map((path) => text(path, "")),
  ];
  const empty = ["dev", "proc", "sys"].map((path): ArchiveEntry => directory(path, 0o755));
  const special = [directory("root", 0o700), directory("tmp", 0o1777)];
  return {
    content: `${programs.title}, ${files.length} files in all`,
    entries: [...directoriesOf(files), ...empty, ...special, ...files],
  };
}

function notesLayer(): Recipe {
  const files = [
    text(MOTD, "hello from the second layer\n"),
    text(DRAFT, "nobody should read this\n"),
    text(PLAN, "build, serve, pull, run\n"),
  ];
  // etc stands in the layer below: a layer need not list what it doesn't change.
  const notes = [directory("srv", 0o755), directory("srv/notes", 0o755)];
  return { content: `adds ${[MOTD, DRAFT, PLAN].join(", ")}`, entries: [...notes, ...files] };
}

function changesLayer(): Recipe {
  return {
    content: `changes ${MOTD}, removes ${DRAFT}`,
    entries: [text(MOTD, "hello from the third layer\n"), text(DRAFT_WHITEOUT, "")],
  };
}

function text(path: string, content: string): ArchiveEntry {
  return { type: "file", path, mode: 0o644, content: Buffer.from(content) };
}

function directory(path: string, mode: number): ArchiveEntry {
  return { type: "directory", path, mode };
}
