import type { Command } from "../command.ts";
import { inspectCommand } from "../inspect.ts";

/** `tsimg container inspect` */
export function command(): Command {
  return inspectCommand("container inspect", ["container"]);
}
