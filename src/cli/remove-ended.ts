import { builtProgram } from "../app.ts";
import type { ProgramCall } from "../runtime/tape/request.ts";
import type { StorePaths } from "../store/paths.ts";
import { Command } from "./command.ts";
import { openApp } from "./globals.ts";

/** What may decide on where a driver keeps its snapshots. */
const PASSED_ON = /^(PATH|HOME|XDG_CONFIG_HOME|TSIMG_[A-Z_]+)$/;

/**
 * Removes a container that has ended, though its launcher, which calls this and waits for
 * it, still lives.
 */
export function command(): Command {
  return new Command("remove-ended")
    .description("remove a container that has ended")
    .argument("<container>", "ID")
    .action((id: string, _flags: object, command: Command) => {
      using app = openApp(command);
      app.containers.removeEnded(id);
    });
}

/** How a launcher calls the command above. */
export function removeEndedCall(paths: StorePaths, id: string): ProgramCall {
  const store = ["--root", paths.root, "--runroot", paths.runRoot];
  const env = Object.entries(process.env).filter(([name]) => PASSED_ON.test(name));
  return {
    argv: [process.execPath, builtProgram("tsimg.cjs"), ...store, "remove-ended", id],
    env: env.map(([name, value]) => `${name}=${value}`),
    why: "removing the container",
  };
}
