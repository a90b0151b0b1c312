import type { Command } from "../command.ts";
import { inspectCommand } from "../inspect.ts";

/** `tsimg image inspect` */
export function command(): Command {
  return inspectCommand("image inspect", ["image"]);
}
