import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { runAlone } from "./alone.ts";
import { type CommandLine, readCommandLine } from "./command-line.ts";
import { commandNamed } from "./commands.ts";

/**
 * V8 keeps what it has compiled for a command in a directory of that command's own: of a
 * module that several share each uses other functions. Saves 5 ms of 20. The rest of the
 * program is loaded after this, since what is loaded before isn't kept.
 */
function keepCompiledCode({ name }: CommandLine): void {
  if (commandNamed(name) === undefined) return;
  enableCompileCache(join(import.meta.dirname, "cache", name));
}

/**
 * What is made is written to by its owner alone, also where a service or a shell has no umask:
 * Node's cache of compiled code is trusted as the program itself is.
 */
function keepOthersFromWriting(): void {
  const before = process.umask(0o022);
  process.umask(before | 0o022);
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

/** An ordinary user's containers and files are in namespaces of that user's. */
async function enterNamespaces(): Promise<void> {
  const { needsNamespaces } = await import("./needs-namespaces.ts");
  if (!needsNamespaces(process.argv.slice(2))) return;
  const { enterUserNamespace } = await import("../runtime/rootless/enter.ts");
  const { builtProgram } = await import("../app.ts");
  const { reportError } = await import("./output/errors.ts");
  try {
    const [node = "", ...rest] = process.argv;
    enterUserNamespace(builtProgram("launcher"), [node, ...process.execArgv, "--", ...rest]);
  } catch (error) {
    const status = reportError(error, process.stderr, { debug: process.argv.includes("--debug") });
    const { failureStatus } = await import("./failure-status.ts");
    process.exit(failureStatus(readCommandLine(process.argv.slice(2)).name, status));
  }
}

async function runWhole(argv: readonly string[], line: CommandLine): Promise<number> {
  const { runCommandLine } = await import("./cli.ts");
  return await runCommandLine(argv, line);
}

async function main(): Promise<void> {
  keepOthersFromWriting();
  const argv = process.argv.slice(2);
  const line = readCommandLine(argv);
  keepCompiledCode(line);
  endWithReader();
  if (process.getuid?.() !== 0) await enterNamespaces();
  // Not process.exit: output that is still on its way would be lost.
  process.exitCode = (await runAlone(line)) ?? (await runWhole(argv, line));
}

void main();
