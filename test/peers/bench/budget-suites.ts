import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { outputOf } from "../../../fixtures/command.ts";
import { randomFileImage } from "../../../fixtures/images/random-file-image.ts";
import type { Registry } from "../../../fixtures/registry/registry.ts";
import { dropLayers, fillStore } from "../tools/tsimg-store.ts";
import type { Case } from "./rounds.ts";
import type { Stage } from "./suites.ts";

const ENTRIES = 200;

/** Lists of 200 images and of 200 containers against a Node that does nothing. */
export async function listCases(stage: Stage): Promise<readonly Case[]> {
  const empty = join(stage.arena, "nothing.js");
  await writeFile(empty, "");
  const node = { argv: [process.execPath, empty] };
  const cases: Case[] = [{ name: "node nothing.js", group: stage.plain, command: () => node }];
  if (stage.tsimg === undefined) return cases;
  const { tool, group } = stage.tsimg;
  const root = join(stage.arena, "listed");
  fillStore(root, ENTRIES);
  for (const command of [["images"], ["ps", "-a"]]) {
    const argv = [tool.program, "--root", root, ...command];
    cases.push({ name: `tsimg ${command.join(" ")}`, group, command: () => ({ argv }) });
  }
  return cases;
}

/** A pull of a tag that hasn't changed since. */
export async function upToDateCases(stage: Stage): Promise<readonly Case[]> {
  const { reference } = stage.big;
  const cases: Case[] = [];
  for (const { tool, group } of stage.tools) {
    await outputOf(tool.pull(reference).argv);
    cases.push({ name: tool.name, group, command: () => tool.pull(reference) });
  }
  return cases;
}

/** One file of 1 GiB that doesn't compress, in one layer, from a store that has its blob. */
export async function fileCases(stage: Stage, registry: Registry): Promise<readonly Case[]> {
  const dir = join(stage.arena, "one-file");
  await mkdir(dir);
  const { layout, file } = await randomFileImage(dir, 1 << 30);
  const copy = join(dir, "copy");
  const script = 'dd if="$1" of="$2" bs=1M status=none && sha256sum "$2"';
  const cases: Case[] = [
    {
      name: "dd; sha256sum",
      group: stage.plain,
      command: () => ({ argv: ["sh", "-c", script, "sh", file, copy] }),
      after: () => rm(copy),
    },
  ];
  if (stage.tsimg === undefined) return cases;
  const { tool, group } = stage.tsimg;
  const reference = await registry.push(layout, "one-file");
  await outputOf(tool.pull(reference).argv);
  const unpack: Case = {
    name: "tsimg unpack",
    group,
    before: async () => dropLayers(tool.root),
    command: () => tool.pull(reference),
  };
  return [unpack, ...cases];
}
