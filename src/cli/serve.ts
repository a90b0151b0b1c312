import { once } from "node:events";
import { type ServedName, StoreSource } from "../image/store-source.ts";
import { Command, Option } from "./command.ts";
import { interruptible, openApp } from "./globals.ts";
import { isLoopback, type ListenAddress, parseListenAddress } from "./listen-address.ts";

interface ServeFlags {
  readonly listen: ListenAddress;
}

const EXAMPLES = `
Examples:
  $ tsimg serve
  $ tsimg serve --listen 127.0.0.1:0            any free port
  $ tsimg --root /srv/copy pull 127.0.0.1:5000/library/alpine
`;

/** `tsimg serve`: what is served under which name stands in src/image/store-source.ts. */
export function command(): Command {
  return new Command("serve")
    .description("offer the images in the store to others, as a registry that can be read")
    .addOption(listenOption())
    .addHelpText("after", EXAMPLES)
    .action(async ({ listen }: ServeFlags, command: Command) => {
      using app = openApp(command);
      const source = new StoreSource(app);
      await interruptible(async (signal) => {
        const { startRegistryServer } = await import("../registry/server.ts");
        const server = await startRegistryServer({ source, ...listen });
        try {
          if (!isLoopback(listen))
            process.stderr.write(
              `warning: anyone who reaches ${server.url} can read these images: nobody is asked who they are\n`,
            );
          process.stdout.write(announcement(server.url, source.names()));
          // Ctrl-C is the way to end it, no failure.
          if (!signal.aborted) await once(signal, "abort");
        } finally {
          await server.close();
        }
      });
    });
}

function listenOption(): Option {
  return new Option("--listen <address:port>", "where to listen")
    .argParser(parseListenAddress)
    .default({ host: "127.0.0.1", port: 5000 }, "127.0.0.1:5000");
}

function announcement(url: string, names: readonly ServedName[]): string {
  const host = url.replace("http://", "");
  const lines = names.map(({ reference: { repository, tag, digest } }) => {
    const suffix = digest === undefined ? `:${tag}` : `@${digest}`;
    return `  ${host}/${repository}${suffix}`;
  });
  const count = names.length === 1 ? "1 image name" : `${names.length || "no"} image names`;
  return `${[`Serving ${count} at ${url}`, ...new Set(lines)].join("\n")}\nCtrl-C ends it\n`;
}
