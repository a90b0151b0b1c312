import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/**
 * Makes sure that zlib-sync is built for the Node that runs tsimg.
 *
 * `npm ci` builds it for the Node that runs npm, which may be another one. It is optional:
 * without it layers are inflated by node:zlib, somewhat slower, so a failure is only told.
 */
export function rebuildAddons(): void {
  if (!existsSync(packageDirectory("zlib-sync")) || loads("zlib-sync")) return;
  console.log("tsimg: building zlib-sync for this Node");
  const headers = dirname(dirname(process.execPath));
  const nodedir = existsSync(join(headers, "include/node/node.h")) ? [`--nodedir=${headers}`] : [];
  try {
    execFileSync("npm", ["rebuild", "zlib-sync", ...nodedir], { stdio: "pipe" });
  } catch (error) {
    const text = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    console.warn(`tsimg: zlib-sync could not be built, node:zlib is used instead\n${text}`);
  }
}

function packageDirectory(name: string): string {
  return join(import.meta.dirname, "..", "node_modules", name);
}

/** In a process of its own: an addon for another Node may crash it. */
function loads(name: string): boolean {
  const file = require.resolve(name);
  return spawnSync(process.execPath, ["-e", `require(${JSON.stringify(file)})`]).status === 0;
}
