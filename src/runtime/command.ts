import { posix } from "node:path";
import type { ContainerConfig } from "../oci/image-config.ts";
import { TsimgError } from "../sys/error.ts";
import type { RunFlags } from "./run-flags.ts";

/**
 * What the container executes: entrypoint, then command.
 *
 * A command on the command line replaces the image's. An entrypoint on the command line
 * replaces both, since the image's command was written for the image's entrypoint.
 *
 * @throws TsimgError ERR_USAGE when nothing is left to execute
 */
export function commandLine(
  flags: Pick<RunFlags, "entrypoint" | "command">,
  config: Pick<ContainerConfig, "Entrypoint" | "Cmd">,
): readonly string[] {
  const { entrypoint, command } = flags;
  const first = entrypoint === undefined ? config.Entrypoint : [entrypoint].filter((one) => one);
  const rest = command.length > 0 || entrypoint !== undefined ? command : config.Cmd;
  const args = [...first, ...rest];
  if (args[0] === undefined || args[0] === "") {
    throw new TsimgError("ERR_USAGE", "no command specified", {
      hint: "the image has none of its own: name one after the image",
    });
  }
  if (args.some((arg) => arg.includes("\0"))) {
    throw new TsimgError("ERR_CONFIG_INVALID", `the command "${args[0].slice(0, 64)}" has a NUL`, {
      hint: "no program can be given one: name another command after the image",
    });
  }
  return args;
}

/**
 * Where the command starts, absolute and tidied.
 *
 * @throws TsimgError ERR_USAGE for a flag that isn't absolute
 */
export function workingDirectory(flag: string | undefined, image: string): string {
  if (flag !== undefined && !flag.startsWith("/")) {
    throw new TsimgError("ERR_USAGE", `working directory "${flag}" is not an absolute path`, {
      hint: `write --workdir /${flag.replace(/^(\.?\/)+/, "")}`,
    });
  }
  const path = posix.join("/", flag ?? image);
  if (path.includes("\0") || path.length > 4095) {
    throw new TsimgError("ERR_CONFIG_INVALID", "the working directory is not a path for Linux", {
      hint: "choose one with --workdir",
    });
  }
  return path.replace(/(?<=.)\/$/, "");
}
