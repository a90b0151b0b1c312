/** Runtimes differ in the first letter's case. */
const MISSING = /executable file not found|no such file or directory/i;
const UNFIT = /permission denied|exec format error|is a directory/i;

/**
 * docker's exit status for what an OCI runtime has logged of a process that it couldn't start;
 * undefined when it has logged no error, and the status is the process's own. The launcher
 * reads the log of a container's first process in the same way: src/launcher/runtime-log.c.
 *
 * @param log     lines of JSON
 * @param command the program as it was asked for
 */
export function statusOfFailure(log: string, command: string): 125 | 126 | 127 | undefined {
  if (!log.includes('"level":"error"')) return undefined;
  // The same words may be about a mount.
  if (!log.includes(command) && !log.includes("open executable")) return 125;
  if (MISSING.test(log)) return 127;
  return UNFIT.test(log) ? 126 : 125;
}
