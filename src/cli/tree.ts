import type { App } from "../app.ts";
import { shortStep } from "../image/history.ts";
import { type Image, imageTags } from "../image/image-store.ts";
import { type LayerPlace, type LayerReport, readImageLayers } from "../image/layer-changes.ts";
import { Command } from "./command.ts";
import { interruptible, openApp } from "./globals.ts";
import { escapeControl } from "./output/escape-control.ts";
import { renderObjects } from "./output/format.ts";
import { print } from "./output/print.ts";
import { ellipsis, shortId } from "./output/shorten.ts";
import { formatSize } from "./output/size.ts";
import { formatTable } from "./output/table.ts";

interface Flags {
  readonly trunc: boolean;
  readonly format?: string;
}

const WIDTH = 100;

const COLUMNS = [
  { title: "LAYER", right: true },
  { title: "DIGEST" },
  { title: "SIZE", right: true },
  { title: "ADDED", right: true },
  { title: "REPLACED", right: true },
  { title: "DELETED", right: true },
  { title: "CREATED BY" },
] as const;

/** Paths of a driver that lead to other layers too, or are there only while a container runs. */
const NOT_ITS_OWN: ReadonlySet<string> = new Set(["LowerDir", "MergedDir", "WorkDir"]);

const EXAMPLES = `
Examples:
  $ tsimg tree alpine
  $ tsimg tree --no-trunc app
  $ tsimg tree --format json app
`;

/** `tsimg tree` */
export function command(): Command {
  return new Command("tree")
    .description("show an image's layers: files added, replaced, deleted, where drivers keep them")
    .argument("<image>", "name or ID")
    .option("--no-trunc", "show whole digests and commands")
    .option("--format <format>", "json, or a template such as '{{.Id}}'")
    .addHelpText("after", EXAMPLES)
    .action(async (name: string, flags: Flags, command: Command) => {
      using app = openApp(command);
      const { image } = app.images.existing(name);
      const { layers } = await interruptible((signal) => readImageLayers(app, image, signal));
      if (flags.format === undefined) print(textOf(app, image, layers, !flags.trunc));
      else print(renderObjects([objectOf(app, image, layers)], flags.format));
    });
}

function textOf(app: App, image: Image, layers: readonly LayerReport[], noTrunc: boolean): string {
  const [title, ...lines] = tableOf(layers, noTrunc);
  const drivers = app.snapshots.driversOf(image.chainId).join(", ");
  const head = [
    `image    ${shortId(image.configDigest, noTrunc)}  ${namesOf(app, image).join(", ")}`,
    `drivers  ${drivers || "none: it is unpacked nowhere as a whole"}`,
    "",
  ];
  const body = layers.flatMap(({ places }, at) => [
    lines[at] ?? "",
    ...places.map((place) => `${" ".repeat(8)}${placeText(place)}`),
  ]);
  return [...head.map(escapeControl), title ?? "", ...body].map((line) => `${line}\n`).join("");
}

/** The title and a line a layer, none of them longer than a screen is wide. */
function tableOf(layers: readonly LayerReport[], noTrunc: boolean): readonly string[] {
  const cells = layers.map(({ number, layer, bytes, added, replaced, deleted }) => [
    String(number),
    shortId(layer.digest, noTrunc),
    formatSize(bytes),
    ...[added, replaced, deleted].map(String),
  ]);
  const without = formatTable(
    COLUMNS,
    cells.map((row) => [...row, ""]),
  );
  const room = WIDTH - without.indexOf("CREATED BY");
  const rows = cells.map((row, at) => {
    const createdBy = layers[at]?.createdBy ?? "";
    return [...row, noTrunc ? createdBy : ellipsis(escapeControl(shortStep(createdBy)), room)];
  });
  return formatTable(COLUMNS, rows).trimEnd().split("\n");
}

function placeText({ driver, paths }: LayerPlace): string {
  const own = Object.entries(paths).filter(([name]) => !NOT_ITS_OWN.has(name));
  return escapeControl(`${driver}  ${own.map(([, path]) => path).join("  ")}`);
}

function namesOf(app: App, image: Image): readonly string[] {
  return imageTags(app.images.names(image.digest))
    .filter(({ repository }) => repository !== "<none>")
    .map(({ repository, tag, digest }) =>
      tag === "<none>" ? `${repository}@${digest}` : `${repository}:${tag}`,
    );
}

function objectOf(app: App, image: Image, layers: readonly LayerReport[]): object {
  return {
    Id: image.configDigest,
    Digest: image.digest,
    Names: namesOf(app, image),
    Drivers: app.snapshots.driversOf(image.chainId),
    Layers: layers.map(({ number, layer, bytes, added, replaced, deleted, ...rest }) => ({
      Layer: number,
      Digest: layer.digest,
      DiffID: layer.diffId,
      ChainID: layer.chainId,
      CompressedSize: layer.size,
      Size: bytes,
      Added: added,
      Replaced: replaced,
      Deleted: deleted,
      CreatedBy: rest.createdBy,
      Drivers: rest.places.map(({ driver, snapshot, paths }) => ({
        Name: driver,
        Snapshot: snapshot,
        Data: paths,
      })),
    })),
  };
}
