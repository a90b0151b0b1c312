import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type ArchiveEntry, directoriesOf, packLayer } from "../../image/demo/layer-archive.ts";
import { LayoutSource } from "../../image/demo/layout-source.ts";
import { findPrograms } from "../../image/demo/programs.ts";
import { writeLayout } from "../../image/demo/write-layout.ts";
import { hostPlatform } from "../../oci/platform.ts";
import { type RegistryServer, startRegistryServer } from "../../registry/server.ts";
import { Content } from "../content.ts";

/**
 * `programs`: a shell and its friends. `files`: 2,000 small files. `tree`: 20,000 of them, as
 * a source tree has. `data`: programs, and 64 MiB in files of 1 MiB.
 */
export type ImageKind = "programs" | "files" | "tree" | "data";

const KiB = 1024;
const MiB = 1024 * KiB;
const WHEN = new Date("2024-01-01T00:00:00Z");
/** Fast: what is measured is unpacking. */
const LEVEL = 1;

export const DATA_FILES = 64;
export const TREE_FILES = 20_000;

/** Images that are generated, in a registry of the bench's own. */
export class BenchImages implements AsyncDisposable {
  private readonly directory: string;
  private readonly seed: number;
  private readonly made = new Map<ImageKind, Promise<RegistryServer>>();

  /** @param directory for the images, as OCI layouts */
  constructor(directory: string, seed: number) {
    this.directory = directory;
    this.seed = seed;
  }

  /** Where the image can be pulled from, by plain HTTP. Made when it is first asked for. */
  async reference(kind: ImageKind): Promise<string> {
    let server = this.made.get(kind);
    if (server === undefined) {
      server = this.serve(kind);
      this.made.set(kind, server);
    }
    return `127.0.0.1:${(await server).port}/${kind}:latest`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of await Promise.allSettled(this.made.values()))
      if (server.status === "fulfilled") await server.value.close();
  }

  private async serve(kind: ImageKind): Promise<RegistryServer> {
    const layout = join(this.directory, kind);
    mkdirSync(layout, { recursive: true });
    const layers = [];
    for (const entries of layersOf(kind, new Content(this.seed)))
      layers.push(await packLayer(entries, WHEN, LEVEL));
    const config = {
      created: WHEN.toISOString(),
      ...hostPlatform(),
      config: { Cmd: ["sh"], Env: ["PATH=/bin"], WorkingDir: "/" },
      rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    };
    writeLayout(layout, config, layers);
    const source = new LayoutSource(layout, kind);
    return startRegistryServer({ source, host: "127.0.0.1", port: 0 });
  }
}

function layersOf(kind: ImageKind, content: Content): readonly (readonly ArchiveEntry[])[] {
  switch (kind) {
    case "programs":
      return [baseLayer()];
    case "files":
      return [smallFiles(2_000, content)];
    case "tree":
      return [smallFiles(TREE_FILES, content)];
    case "data":
      return [baseLayer(), dataFiles(content)];
  }
}

function baseLayer(): readonly ArchiveEntry[] {
  const files: readonly ArchiveEntry[] = [
    ...findPrograms().entries,
    text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
    text("etc/group", "root:x:0:\n"),
  ];
  const empty = ["dev", "proc", "sys", "tmp"].map(
    (path): ArchiveEntry => ({ type: "directory", path, mode: 0o755 }),
  );
  return [...directoriesOf(files), ...empty, ...files];
}

/** Sizes from 256 bytes to 16 KiB, half of them below 3 KiB: 20 in each directory. */
function smallFiles(count: number, content: Content): readonly ArchiveEntry[] {
  const files = Array.from({ length: count }, (_, number): ArchiveEntry => {
    const directory = Math.floor(number / 20);
    const path = `src/${Math.floor(directory / 30)}/module-${directory}/file-${number}.ts`;
    const size = Math.round(256 * 2 ** (((number * 7919) % 60) / 10));
    return { type: "file", path, mode: 0o644, content: Buffer.from(content.next(size)) };
  });
  return [...directoriesOf(files), ...files];
}

function dataFiles(content: Content): readonly ArchiveEntry[] {
  const files = Array.from({ length: DATA_FILES }, (_, number): ArchiveEntry => {
    const path = `data/${number}`;
    return { type: "file", path, mode: 0o644, content: Buffer.from(content.next(MiB)) };
  });
  return [...directoriesOf(files), ...files];
}

function text(path: string, content: string): ArchiveEntry {
  return { type: "file", path, mode: 0o644, content: Buffer.from(content) };
}
