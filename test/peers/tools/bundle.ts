import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { outputOf } from "../../../fixtures/command.ts";
import type { Invocation } from "./tool.ts";
import type { Tsimg } from "./tsimg.ts";

/** Who makes the bundle, of what. */
export type BundleSource =
  | { readonly kind: "umoci"; readonly layout: string }
  | { readonly kind: "tsimg"; readonly reference: string; readonly tool: Tsimg };

/**
 * Makes a runtime bundle at `dir` that runs `command`: umoci's, of which a runtime does little,
 * or tsimg's, of which it does what `tsimg run` does.
 *
 * @returns command lines for an OCI runtime (`runc`, `crun`), each with a container id of its own
 */
export async function prepareBundle(
  source: BundleSource,
  dir: string,
  options: { readonly command: readonly string[]; readonly cgroupParent: string },
): Promise<(runtime: string) => Invocation> {
  await outputOf(
    source.kind === "umoci"
      ? ["umoci", "unpack", "--image", `${source.layout}:latest`, dir]
      : bundleCommand(source, dir),
  );
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

function bundleCommand(
  { tool, reference }: Extract<BundleSource, { kind: "tsimg" }>,
  dir: string,
): readonly string[] {
  const tsimg = [tool.program, "--root", tool.root];
  return [...tsimg, "bundle", "--network", "none", reference, dir];
}
