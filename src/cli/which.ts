import { shortStep } from "../image/history.ts";
import { type WhichRow, whichPath } from "../image/which-path.ts";
import { Command } from "./command.ts";
import { interruptible, openApp } from "./globals.ts";
import { escapeControl } from "./output/escape-control.ts";
import { type Listing, renderRows } from "./output/format.ts";
import { print } from "./output/print.ts";
import { ellipsis, shortId } from "./output/shorten.ts";
import { formatSize } from "./output/size.ts";

interface Flags {
  readonly follow: boolean;
  readonly trunc: boolean;
  readonly format?: string;
}

const TITLES = {
  Layer: "LAYER",
  State: "STATE",
  Type: "TYPE",
  What: "WHAT",
  Size: "SIZE",
  Path: "PATH",
  Digest: "DIGEST",
  DiffID: "DIFF ID",
  CreatedBy: "CREATED BY",
} as const;

type Field = keyof typeof TITLES;

const LISTING: Listing<Field> = {
  titles: TITLES,
  table: "{{.Layer}}\t{{.State}}\t{{.What}}\t{{.Size}}\t{{.Digest}}\t{{.CreatedBy}}",
};

const EXAMPLES = `
Examples:
  $ tsimg which alpine /etc/os-release
  $ tsimg which -L app /bin/sh                  where the symlink leads
  $ tsimg which --format '{{.Layer}} {{.State}}' app /etc/passwd
`;

/** `tsimg which` */
export function command(): Command {
  return new Command("which")
    .description("name the layer that a path of an image comes from, and those that it hides")
    .argument("<image>", "name or ID")
    .argument("<path>", "as in a container; symlinks on the way are followed")
    .option("-L, --follow", "also follow the path itself when it is a symlink", false)
    .option("--no-trunc", "show whole digests and commands")
    .option("--format <format>", "table, json, or a template such as '{{.Layer}} {{.State}}'")
    .addHelpText("after", EXAMPLES)
    .action(async (image: string, path: string, flags: Flags, command: Command) => {
      using app = openApp(command);
      const { follow } = flags;
      const answer = await interruptible((signal) =>
        whichPath(app, image, path, { follow, signal }),
      );
      if (flags.format === undefined && answer.path !== absolute(path))
        print(`${escapeControl(path)} is ${escapeControl(answer.path)}\n`);
      const rows = answer.rows.map((each) => row(each, answer.path, !flags.trunc));
      print(renderRows(LISTING, rows, flags));
      // As the shell's own: the answer is that there is none.
      if (!answer.exists) process.exitCode = 1;
    });
}

function row(
  { report, state, type, what, size }: WhichRow,
  path: string,
  noTrunc: boolean,
): Readonly<Record<Field, string>> {
  const { createdBy, layer } = report;
  return {
    Layer: String(report.number),
    State: state,
    Type: type,
    What: what,
    Size: type === "file" ? formatSize(size) : "",
    Path: path,
    Digest: shortId(layer.digest, noTrunc),
    DiffID: shortId(layer.diffId, noTrunc),
    CreatedBy: noTrunc ? createdBy : ellipsis(shortStep(createdBy), 40),
  };
}

function absolute(path: string): string {
  return `/${path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/")}`;
}
