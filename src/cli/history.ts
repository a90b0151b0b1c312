import type { App } from "../app.ts";
import { type HistoryStep, historySteps, layerBytes } from "../image/history.ts";
import type { Image } from "../image/image-store.ts";
import { LayerIndexes } from "../image/tree/layer-indexes.ts";
import { parseImageConfig } from "../oci/image-config.ts";
import { Command } from "./command.ts";
import { openApp } from "./globals.ts";
import { formatAge } from "./output/duration.ts";
import { type Listing, renderRows } from "./output/format.ts";
import { print } from "./output/print.ts";
import { ellipsis, shortId } from "./output/shorten.ts";
import { formatSize } from "./output/size.ts";

interface Flags {
  readonly human: boolean | string;
  readonly quiet?: true;
  readonly trunc: boolean;
  readonly format?: string;
}

const TITLES = {
  ID: "IMAGE",
  CreatedSince: "CREATED",
  CreatedAt: "CREATED AT",
  CreatedBy: "CREATED BY",
  Size: "SIZE",
  Comment: "COMMENT",
} as const;

type Field = keyof typeof TITLES;

const LISTING: Listing<Field> = {
  titles: TITLES,
  table: "{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
};

const EXAMPLES = `
Examples:
  $ tsimg history alpine
  $ tsimg history --no-trunc --format '{{.CreatedBy}}' alpine
  $ tsimg history --human=false alpine
`;

/** `tsimg history` */
export function command(): Command {
  return new Command("history")
    .description("show the steps that made an image, the last one first")
    .argument("<image>", "name or ID")
    .option("-H, --human [bool]", "sizes and dates for people; =false for programs", true)
    .option("-q, --quiet", "print IDs only")
    .option("--no-trunc", "show whole IDs and commands")
    .option("--format <format>", "table, json, or a template such as '{{.CreatedBy}}'")
    .addHelpText("after", EXAMPLES)
    .action(async (name: string, flags: Flags, command: Command) => {
      using app = openApp(command);
      const { image } = app.images.existing(name);
      print(renderRows(LISTING, await rows(app, image, flags), flags));
    });
}

async function rows(app: App, image: Image, flags: Flags) {
  const config = parseImageConfig(Buffer.from(image.config));
  const steps = historySteps(config, app.images.layers(image.digest)).toReversed();
  const indexes = new LayerIndexes(app.content, app.paths);
  const bytes = await Promise.all(
    steps.map(({ layer }) => (layer === undefined ? 0 : layerBytes(layer, app.snapshots, indexes))),
  );
  // As docker has it: only the image itself has an ID, the images it was built on had none.
  return steps.map((step, at) =>
    row(
      step,
      at === 0 ? shortId(image.configDigest, !flags.trunc) : "<missing>",
      bytes[at] ?? 0,
      flags,
    ),
  );
}

function row(
  { entry }: HistoryStep,
  id: string,
  bytes: number,
  flags: Flags,
): Readonly<Record<Field, string>> {
  const human = flags.human !== "false" && flags.human !== "0";
  const time = Date.parse(entry?.created ?? "");
  const at = Number.isNaN(time) ? "" : new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
  const since = Number.isNaN(time) ? "N/A" : formatAge(Date.now() - time);
  const createdBy = (entry?.createdBy ?? "").replaceAll("\t", " ");
  return {
    ID: id,
    CreatedSince: human ? since : at,
    CreatedAt: at,
    CreatedBy: flags.trunc ? ellipsis(createdBy, 45) : createdBy,
    Size: human ? formatSize(bytes) : String(bytes),
    Comment: entry?.comment ?? "",
  };
}
