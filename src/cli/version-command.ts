import { release } from "node:os";
import { Command } from "./command.ts";
import { renderObjects } from "./output/format.ts";
import { print } from "./output/print.ts";
import { VERSION } from "./version.ts";

/** `tsimg version` */
export function command(): Command {
  return new Command("version")
    .description("print the versions of tsimg and of what it runs on")
    .option("-f, --format <format>", "json, or a template such as '{{.Version}}'")
    .addHelpText(
      "after",
      "\nExamples:\n  $ tsimg version\n  $ tsimg version --format '{{.Version}}'\n",
    )
    .action((flags: { format?: string }) => {
      const facts = {
        Version: VERSION,
        NodeVersion: process.version,
        Os: process.platform,
        Arch: process.arch === "x64" ? "amd64" : process.arch,
        KernelVersion: release(),
      };
      if (flags.format !== undefined) print(renderObjects([facts], flags.format));
      else
        print(
          `Version:      ${facts.Version}\nNode version: ${facts.NodeVersion}\nOS/Arch:      ${facts.Os}/${facts.Arch}\nKernel:       ${facts.KernelVersion}\n`,
        );
    });
}
