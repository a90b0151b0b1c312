import { Command } from "./command.ts";

const EXAMPLES = `
Examples:
  $ tsimg oci create --bundle ./bundle web
  $ tsimg oci start web
  $ tsimg oci state web
  $ sudo ctr run --runc-binary /path/to/bin/tsimg-runtime docker.io/library/alpine:latest web
`;

/** `tsimg oci`, also `tsimg-runtime`: the launcher behind the command line of OCI runtimes. */
export function command(): Command {
  return new Command("oci")
    .description("be an OCI runtime: create, start, state, kill, delete, run, exec, …")
    .argument("[command...]", "as runc has them, with their flags")
    .takesEverything()
    .addHelpText("after", EXAMPLES)
    .action(async (words: string[]) => {
      const { runOci } = await import("./oci/run-oci.ts");
      process.exitCode = await runOci(words);
    });
}
