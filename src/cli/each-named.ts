import { reportError } from "./output/errors.ts";

/**
 * Does `action` for each name; a failure is reported and the others go on, as with docker.
 * @returns the exit status: that of the last failure, else 0
 */
export async function eachNamed(
  names: readonly string[],
  debug: boolean,
  action: (name: string) => Promise<string> | string,
): Promise<number> {
  let status = 0;
  for (const name of names) {
    try {
      const line = await action(name);
      if (line !== "") process.stdout.write(`${line}\n`);
    } catch (error) {
      status = reportError(error, process.stderr, { debug });
    }
  }
  // docker's own status for a name that it can't serve.
  return status === 0 || status === 130 ? status : 1;
}
