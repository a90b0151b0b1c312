import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { outputOf } from "../../../fixtures/command.ts";
import type { Group } from "../cgroup.ts";
import type { Tool } from "../tools/tool.ts";
import type { Tsimg } from "../tools/tsimg.ts";
import { dropLayers } from "../tools/tsimg-store.ts";
import type { PlacedDriver } from "./driver-places.ts";
import type { Case } from "./rounds.ts";

/** What all suites measure with: made once, before the first round. */
export interface Stage {
  /** Directory on the file system that the stores share. */
  readonly arena: string;
  readonly tools: readonly { readonly tool: Tool; readonly group: Group }[];
  readonly tsimg: { readonly tool: Tsimg; readonly group: Group } | undefined;
  /** Makes a place of its own for every storage driver. */
  readonly placeDrivers: () => Promise<readonly PlacedDriver[]>;
  /** For what belongs to no tool. */
  readonly plain: Group;
  readonly big: StagedImage;
  readonly tiny: StagedImage;
}

export interface StagedImage {
  /** OCI layout directory. */
  readonly layout: string;
  /** Where the loopback registry has it. */
  readonly reference: string;
}

/** From nothing in the store until a container could be started. */
export async function pullCases(stage: Stage): Promise<readonly Case[]> {
  const { reference } = stage.big;
  const tools = stage.tools.map(({ tool, group }) => ({
    name: tool.name,
    group,
    command: () => tool.pull(reference),
    after: () => tool.forget(reference),
  }));
  return [...tools, await floorCase(stage)];
}

/** What the machine's fastest programs need to fetch, inflate and write the same layers. */
async function floorCase(stage: Stage): Promise<Case> {
  const dir = join(stage.arena, "floor");
  const repository = stage.big.reference.replace("/", "/v2/").replace(/:latest$/, "");
  const layers = await layersOf(stage.big.layout);
  const urls = layers.map(({ hex }) => `http://${repository}/blobs/sha256:${hex}`);
  const one = 'mkdir "$1" && curl -s "$2" | igzip -dc | tar -xp -C "$1"';
  const all = `for url; do echo "\${url##*:} $url"; done | xargs -P2 -n2 sh -c '${one}' sh`;
  return {
    name: "curl | igzip | tar",
    group: stage.plain,
    before: () => mkdir(dir),
    command: () => ({ argv: ["sh", "-c", `cd "$0" && ${all}`, dir, ...urls] }),
    after: () => rm(dir, { recursive: true }),
  };
}

/** The same layers from local files into directories. */
export async function unpackCases(stage: Stage): Promise<readonly Case[]> {
  const dir = join(stage.arena, "unpacked");
  const layers = await layersOf(stage.big.layout);
  const tars = join(stage.arena, "tars");
  await mkdir(tars);
  for (const { hex, file } of layers) {
    await outputOf(["sh", "-c", 'gzip -dc "$1" >"$2"', "sh", file, join(tars, hex)]);
  }
  const each = 'dir=$1 flags=$2; shift 2; mkdir "$dir"; cd "$dir"; for tar; do';
  const tarCase = (name: string, flags: string, files: readonly string[]): Case => ({
    name,
    group: stage.plain,
    command: () => ({
      argv: ["sh", "-ec", `${each} tar $flags "$tar"; done`, "sh", dir, flags, ...files],
    }),
    after: () => rm(dir, { recursive: true }),
  });
  const cases: Case[] = [
    {
      name: "umoci unpack",
      group: stage.plain,
      command: () => ({
        argv: ["umoci", "unpack", "--image", `${stage.big.layout}:latest`, dir],
      }),
      after: () => rm(dir, { recursive: true }),
    },
    tarCase(
      "tar -xz",
      "-xpzf",
      layers.map((layer) => layer.file),
    ),
    tarCase(
      "tar -x of plain tars",
      "-xpf",
      layers.map((layer) => join(tars, layer.hex)),
    ),
  ];
  if (stage.tsimg === undefined) return cases;
  const { tool, group } = stage.tsimg;
  const { reference } = stage.big;
  await outputOf(tool.pull(reference).argv);
  // A pull that finds all blobs in the store: what is left to do is to unpack them.
  const tsimg: Case = {
    name: "tsimg",
    group,
    before: async () => dropLayers(tool.root),
    command: () => tool.pull(reference),
  };
  return [tsimg, ...cases];
}

/** Pulls as in the pull suite, and a Node that does nothing, to be subtracted from tsimg. */
export function memoryCases(stage: Stage): readonly Case[] {
  const { reference } = stage.big;
  const idle = { argv: [process.execPath, "--eval", "setTimeout(() => {}, 500)"] };
  return [
    ...stage.tools.map(({ tool, group }) => ({
      name: tool.name,
      group,
      command: () => tool.pull(reference),
      after: () => tool.forget(reference),
    })),
    { name: "idle node", group: stage.plain, command: () => idle },
  ];
}

async function layersOf(layout: string): Promise<readonly { hex: string; file: string }[]> {
  const blob = (digest: string) => join(layout, "blobs", digest.replace(":", "/"));
  const index = JSON.parse(await readFile(join(layout, "index.json"), "utf8"));
  const manifest = JSON.parse(await readFile(blob(index.manifests[0].digest), "utf8"));
  return manifest.layers.map((layer: { digest: string }) => ({
    hex: layer.digest.replace("sha256:", ""),
    file: blob(layer.digest),
  }));
}
