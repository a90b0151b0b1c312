import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { rebuildAddons } from "./addons.ts";
import { bundle } from "./bundle.ts";
import { compileLauncher } from "./launcher.ts";

const root = join(import.meta.dirname, "..");
const outDir = join(root, "dist");

process.chdir(root);
try {
  rebuildAddons();
  mkdirSync(outDir, { recursive: true });
  for (const old of readdirSync(outDir))
    if (/\.cjs|chunks|cache/.test(old)) rmSync(join(outDir, old), { recursive: true });
  await bundle(outDir);
  await compileLauncher(outDir);
} catch (error) {
  const hint = error instanceof Error && "hint" in error ? `\nhint: ${error.hint}` : "";
  console.error(
    `tsimg: the build failed: ${error instanceof Error ? error.message : error}${hint}`,
  );
  process.exit(1);
}
