import type { App } from "../app.ts";
import { type ImageMount, ImageMounts } from "../image/image-mounts.ts";
import { imageTags } from "../image/image-store.ts";
import { mountImage } from "../image/mount-image.ts";
import { TsimgError } from "../sys/error.ts";
import { Command, InvalidArgumentError } from "./command.ts";
import { openApp } from "./globals.ts";
import { type Listing, renderRows } from "./output/format.ts";
import { print } from "./output/print.ts";
import { shortId } from "./output/shorten.ts";
import { requireRoot } from "./require-root.ts";
import { copyIn } from "./storage-flags.ts";

interface Flags {
  readonly layer?: number;
  readonly driver?: string;
  readonly format?: string;
}

const TITLES = {
  Image: "IMAGE",
  ID: "IMAGE ID",
  Layer: "LAYER",
  Layers: "LAYERS",
  Driver: "DRIVER",
  Directory: "DIRECTORY",
  CreatedAt: "CREATED AT",
} as const;

type Field = keyof typeof TITLES;

const LISTING: Listing<Field> = {
  titles: TITLES,
  table: "{{.Image}}\t{{.Layer}}\t{{.Driver}}\t{{.Directory}}",
};

const EXAMPLES = `
Examples:
  $ tsimg mount alpine                          prints the directory
  $ tsimg mount alpine /mnt
  $ tsimg mount --layer 1 app                   only its base layer
  $ tsimg mount --driver zfs app                the copy that is in zfs
  $ tsimg mount                                 lists what is mounted
  $ tsimg mount --format '{{.Directory}}'
`;

/** `tsimg mount` */
export function command(): Command {
  return new Command("mount")
    .description("show an image, or its lower layers, read-only in the file system; list what is")
    .argument("[image]", "name or ID; without it, what is mounted is listed")
    .argument("[directory]", "where; default one in the store, which is printed")
    .option("--layer <n>", "the image as of layer n, 1 being the base", layerNumber, undefined)
    .option("--driver <name>", "which unpacked copy to show; default any")
    .option("--format <format>", "of the list: table, json, or a template")
    .addHelpText("after", EXAMPLES)
    .action(
      (
        image: string | undefined,
        directory: string | undefined,
        flags: Flags,
        command: Command,
      ) => {
        if (image === undefined && (flags.layer ?? flags.driver) !== undefined)
          throw new TsimgError("ERR_USAGE", "--layer and --driver are about an image to mount", {
            hint: "name it: tsimg mount --layer 1 IMAGE",
          });
        using app = openApp(command);
        if (image === undefined) return print(renderRows(LISTING, rows(app), flags));
        requireRoot("mounting an image");
        const { layer } = flags;
        const driver = flags.driver === undefined ? undefined : copyIn(app, flags.driver);
        print(`${mountImage(app, image, { directory, layer, driver })}\n`);
      },
    );
}

function rows(app: App): readonly Readonly<Record<Field, string>>[] {
  return new ImageMounts(app.database).list().map((mount) => row(app, mount));
}

function row(app: App, mount: ImageMount): Readonly<Record<Field, string>> {
  const image = app.images.get(mount.image);
  const [tags] = imageTags(app.images.names(mount.image));
  const id = shortId(image?.configDigest ?? mount.image);
  const isNamed = tags !== undefined && tags.repository !== "<none>";
  const layer = app.snapshots.parents(mount.snapshot).length + 1;
  return {
    Image: isNamed ? `${tags.repository}:${tags.tag}` : id,
    ID: id,
    Layer: String(layer),
    // An image that was removed by force is known by its mount alone.
    Layers: String(image === undefined ? layer : app.images.layers(mount.image).length),
    Driver: app.snapshots.get(mount.snapshot)?.driver ?? "",
    Directory: mount.path,
    CreatedAt: mount.created,
  };
}

function layerNumber(text: string): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < 1)
    throw new InvalidArgumentError("it is a number from 1, the base layer, up");
  return value;
}
