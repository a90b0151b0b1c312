import { runningOptions } from "../runtime/container/pause.ts";
import { listProcesses } from "../runtime/container/top.ts";
import { Command } from "./command.ts";
import { openApp } from "./globals.ts";
import { print } from "./output/print.ts";
import { formatTable } from "./output/table.ts";

const EXAMPLES = `
Examples:
  $ tsimg top web
  $ tsimg top web -o pid,rss,args
`;

/** `tsimg top` */
export function command(): Command {
  return new Command("top")
    .description("list the processes of a container")
    .argument("<container>", "name or ID")
    .argument("[options...]", "options of ps; -ef unless given")
    .passThroughOptions()
    .addHelpText("after", EXAMPLES)
    .action((name: string, options: string[], _flags: object, command: Command) => {
      using app = openApp(command);
      const { cgroups } = runningOptions(app.containers.existing(name));
      const { titles, rows } = listProcesses(cgroups, options);
      const columns = titles.map((title) => ({ title }));
      print(formatTable(columns, rows));
    });
}
