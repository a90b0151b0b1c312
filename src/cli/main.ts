import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { COMMANDS } from "./commands.ts";

/**
 * V8 keeps what it has compiled for a command in a directory of that command's own: of a
 * module that several share each uses other functions. Saves 5 ms of 20. The rest of the
 * program is loaded after this, since what is loaded before isn't kept.
 */
function keepCompiledCode(): void {
  const name = process.argv.slice(2).find((word) => Object.hasOwn(COMMANDS, word));
  if (name !== undefined) enableCompileCache(join(import.meta.dirname, "cache", name));
}

/** Whoever reads our output may stop early, as `head` does: no failure of ours. */
function endWithReader(): void {
  // Once: an error while an error is told ends the process.
  process.once("uncaughtException", async (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE" && error.syscall === "write") process.exit(0);
    const { reportError } = await import("./output/errors.ts");
    process.exit(reportError(error, process.stderr, { debug: true }));
  });
}

async function main(): Promise<void> {
  keepCompiledCode();
  endWithReader();
  const { runCommandLine } = await import("./cli.ts");
  // Not process.exit: output that is still on its way would be lost.
  process.exitCode = await runCommandLine(process.argv.slice(2));
}

void main();
