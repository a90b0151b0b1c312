import { rm } from "node:fs/promises";
import { join } from "node:path";
import { outcomeOf, outputOf } from "../../../fixtures/command.ts";
import type { OverlayDirs } from "../tree-compare/overlay-view.ts";
import type { Tool, ToolOptions } from "./tool.ts";

const PROGRAM = join(import.meta.dirname, "../../../bin/tsimg");

export interface Tsimg extends Tool {
  /** The directories of a pulled image's layers. */
  overlayDirs(reference: string): Promise<OverlayDirs>;
  readonly program: string;
  /** Its store. */
  readonly root: string;
}

/**
 * The tsimg of this checkout, as built in dist/.
 *
 * @throws Error when it can't be started
 */
export async function openTsimg(options: Pick<ToolOptions, "store">): Promise<Tsimg> {
  const tsimg = [PROGRAM, "--root", options.store];
  const version = await outcomeOf([PROGRAM, "version"]).catch((error: Error) => error);
  if (version instanceof Error) throw version;
  if (version.status !== 0) throw new Error(`tsimg does not start: ${version.stderr.trim()}`);
  return {
    name: "tsimg",
    hasDaemon: false,
    program: PROGRAM,
    root: options.store,
    pull: (reference) => ({ argv: [...tsimg, "pull", "--quiet", reference] }),
    run: (reference, command, network = "none") => ({
      argv: [...tsimg, "run", "--rm", "--network", network, reference, ...command],
    }),
    detach: (reference, command) => ({
      argv: [...tsimg, "run", "-d", "--network", "none", reference, ...command],
    }),
    hasBridge: true,
    async overlayDirs(reference) {
      const format = "{{json .GraphDriver.Data}}";
      return JSON.parse(await outputOf([...tsimg, "inspect", "--format", format, reference]));
    },
    // The whole store goes: there is no daemon that would mind.
    forget: () => rm(options.store, { recursive: true, force: true }),
    async [Symbol.asyncDispose]() {},
  };
}
