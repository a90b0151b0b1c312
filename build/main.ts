import { cpSync, existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { rebuildAddons } from "./addons.ts";
import { bundle } from "./bundle.ts";
import { compileLauncher } from "./launcher.ts";

const root = join(import.meta.dirname, "..");
const outDir = join(root, "dist");
// A build that fails leaves the one before in place.
const fresh = `${outDir}.${process.pid}`;
const old = `${fresh}.old`;

process.chdir(root);
try {
  rebuildAddons();
  await bundle(fresh);
  // Spares compiling what has not changed.
  for (const kept of ["launcher", "launcher.hash"])
    if (existsSync(join(outDir, kept))) cpSync(join(outDir, kept), join(fresh, kept));
  compileLauncher(fresh);
  if (existsSync(outDir)) renameSync(outDir, old);
  renameSync(fresh, outDir);
} catch (error) {
  const hint = error instanceof Error && "hint" in error ? `\nhint: ${error.hint}` : "";
  console.error(
    `tsimg: the build failed: ${error instanceof Error ? error.message : error}${hint}`,
  );
  process.exitCode = 1;
} finally {
  rmSync(fresh, { recursive: true, force: true });
  rmSync(old, { recursive: true, force: true });
}
