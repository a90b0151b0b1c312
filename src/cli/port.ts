import { placeOf } from "../runtime/network/choose-ports.ts";
import { publishedPorts } from "../runtime/network/network-settings.ts";
import { parseExposed } from "../runtime/network/port-request.ts";
import { TsimgError } from "../sys/error.ts";
import { Command } from "./command.ts";
import { openApp } from "./globals.ts";
import { print } from "./output/print.ts";

const EXAMPLES = `
Examples:
  $ tsimg port web
  $ tsimg port web 80
  $ tsimg port web 53/udp
`;

/** `tsimg port` */
export function command(): Command {
  return new Command("port")
    .description("show where a container's ports are published")
    .argument("<container>", "name or ID")
    .argument("[port]", "of the container, e.g. 80 or 53/udp; all of them otherwise")
    .addHelpText("after", EXAMPLES)
    .action((name: string, wanted: string | undefined, _flags: object, command: Command) => {
      using app = openApp(command);
      const { row } = app.containers.existing(name);
      const ports = publishedPorts(app.database).get(row.id) ?? [];
      if (wanted === undefined) {
        const byPort = ports.toSorted((a, b) => a.container_port - b.container_port);
        const lines = byPort.map(
          (port) => `${port.container_port}/${port.protocol} -> ${placeOf(port)}\n`,
        );
        return print(lines.join(""));
      }
      const [asked] = parseExposed(wanted);
      const found = ports.filter(
        (port) => port.container_port === asked?.port && port.protocol === asked.protocol,
      );
      if (found.length > 0) return print(found.map((port) => `${placeOf(port)}\n`).join(""));
      const what = `no public port '${wanted.slice(0, 64)}' published for ${row.name}`;
      const hint = "tsimg port CONTAINER lists those that are";
      throw new TsimgError("ERR_STATE", what, { hint });
    });
}
