import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { outputOf } from "../../../fixtures/command.ts";
import type { Invocation } from "./tool.ts";

/**
 * Unpacks an OCI layout's image into a runtime bundle at `dir` that runs `command`.
 *
 * @returns command lines for an OCI runtime (`runc`, `crun`), each with a container id of its own
 */
export async function prepareBundle(
  layout: string,
  dir: string,
  options: { readonly command: readonly string[]; readonly cgroupParent: string },
): Promise<(runtime: string) => Invocation> {
  await outputOf(["umoci", "unpack", "--image", `${layout}:latest`, dir]);
  const file = join(dir, "config.json");
  const spec = JSON.parse(await readFile(file, "utf8"));
  spec.process.terminal = false;
  spec.process.args = options.command;
  spec.linux.cgroupsPath = `${options.cgroupParent}/bundle`;
  await writeFile(file, JSON.stringify(spec));
  let containers = 0;
  return (runtime) => {
    containers += 1;
    const state = join(dir, `state-${runtime}`);
    return { argv: [runtime, "--root", state, "run", "--bundle", dir, `b${containers}`] };
  };
}
