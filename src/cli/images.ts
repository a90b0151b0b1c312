import { type Image, imageTags } from "../image/image-store.ts";
import { parseImageConfig } from "../oci/image-config.ts";
import { Command } from "./command.ts";
import { openApp } from "./globals.ts";
import { IMAGE_FILTERS, imageFilter } from "./images-filter.ts";
import { formatAge } from "./output/duration.ts";
import { type Listing, renderRows } from "./output/format.ts";
import { print } from "./output/print.ts";
import { shortId } from "./output/shorten.ts";
import { formatSize } from "./output/size.ts";
import { each, NONE } from "./run-flags/each.ts";

interface Flags {
  readonly all?: true;
  readonly quiet?: true;
  readonly trunc: boolean;
  readonly digests?: true;
  readonly format?: string;
  readonly filter: readonly string[];
}

const TITLES = {
  Repository: "REPOSITORY",
  Tag: "TAG",
  Digest: "DIGEST",
  ID: "IMAGE ID",
  CreatedSince: "CREATED",
  CreatedAt: "CREATED AT",
  Size: "SIZE",
  Drivers: "DRIVERS",
} as const;

type Field = keyof typeof TITLES;

const EXAMPLES = `
Examples:
  $ tsimg images
  $ tsimg images --digests --no-trunc
  $ tsimg images --format '{{.Repository}}:{{.Tag}} {{.Size}}'
  $ tsimg images --format json
  $ tsimg images --filter dangling=true -q
`;

/** `tsimg images` */
export function command(): Command {
  return new Command("images")
    .description("list the images in the store")
    .argument("[repository[:tag]]", "only those of this name")
    .option("-a, --all", "accepted for docker's sake: there are no hidden images")
    .option("-q, --quiet", "print IDs only")
    .option("--digests", "show digests")
    .option("--no-trunc", "show whole IDs")
    .option("-f, --filter <name=value>", IMAGE_FILTERS.join(", "), each, NONE)
    .option("--format <format>", "table, json, or a template such as '{{.ID}} {{.Size}}'")
    .addHelpText("after", EXAMPLES)
    .action((wanted: string | undefined, flags: Flags, command: Command) => {
      using app = openApp(command);
      const listing: Listing<Field> = {
        titles: TITLES,
        table: flags.digests
          ? "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.Drivers}}"
          : "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.Drivers}}",
        quiet: "{{.ID}}",
      };
      const fits = imageFilter(flags.filter, {
        createdOf: (name) => app.images.existing(name).image.created,
      });
      const rows = app.images.all().flatMap((image) => {
        const labels = () => parseImageConfig(Buffer.from(image.config)).config.Labels;
        const drivers = app.snapshots.driversOf(image.chainId).join(",") || "-";
        return imageTags(app.images.names(image.digest))
          .filter((name) => wanted === undefined || matches(name, wanted))
          .filter((name) => fits({ ...name, created: image.created, labels }))
          .map((name) => row(image, name, drivers, !flags.trunc));
      });
      print(renderRows(listing, rows, flags));
    });
}

function matches(name: { repository: string; tag: string }, wanted: string): boolean {
  return name.repository === wanted || `${name.repository}:${name.tag}` === wanted;
}

function row(
  image: Image,
  name: { repository: string; tag: string; digest: string },
  drivers: string,
  noTrunc: boolean,
): Readonly<Record<Field, string>> {
  const created = image.created === null ? Number.NaN : Date.parse(image.created);
  return {
    Repository: name.repository,
    Tag: name.tag,
    Digest: name.digest,
    ID: shortId(image.configDigest, noTrunc),
    CreatedSince: Number.isNaN(created) ? "N/A" : formatAge(Date.now() - created),
    CreatedAt: image.created ?? "",
    Size: formatSize(image.size),
    Drivers: drivers,
  };
}
