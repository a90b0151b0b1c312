import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { outputOf } from "../../../fixtures/command.ts";
import { type BundleSource, prepareBundle } from "../tools/bundle.ts";
import type { Case } from "./rounds.ts";
import type { Stage } from "./suites.ts";

/** `true` in an image that is one static program; the image is there. */
export async function runCases(stage: Stage): Promise<readonly Case[]> {
  const { reference, layout } = stage.tiny;
  const cases: Case[] = [];
  for (const { tool, group } of stage.tools) {
    await outputOf(tool.pull(reference).argv);
    cases.push({ name: tool.name, group, command: () => tool.run(reference, ["true"]) });
  }
  const sources: Record<string, BundleSource> = { "umoci's": { kind: "umoci", layout } };
  if (stage.tsimg !== undefined) sources["tsimg's"] = { kind: "tsimg", reference, ...stage.tsimg };
  for (const [whose, source] of Object.entries(sources)) {
    const bundle = await prepareBundle(source, join(stage.arena, `bundle-${source.kind}`), {
      command: ["true"],
      cgroupParent: stage.plain.containers,
    });
    for (const runtime of ["runc", "crun"]) {
      cases.push({
        name: `${runtime} run of ${whose} bundle`,
        group: stage.plain,
        command: () => bundle(runtime),
      });
    }
  }
  return [...cases, await emptyNode(stage)];
}

/** The same with an address on the tool's bridge. */
export async function bridgeCases(stage: Stage): Promise<readonly Case[]> {
  const { reference } = stage.tiny;
  const cases: Case[] = [];
  for (const { tool, group } of stage.tools.filter(({ tool }) => tool.hasBridge)) {
    await outputOf(tool.pull(reference).argv);
    const command = () => tool.run(reference, ["true"], "bridge");
    cases.push({ name: tool.name, group, command });
  }
  return [...cases, await emptyNode(stage)];
}

/** What tsimg's commands can't be faster than. */
async function emptyNode(stage: Stage): Promise<Case> {
  const empty = join(stage.arena, "empty.js");
  await writeFile(empty, "");
  const command = () => ({ argv: [process.execPath, empty] });
  return { name: "node empty.js", group: stage.plain, command };
}
