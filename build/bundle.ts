import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { type InputOptions, type OutputOptions, type Plugin, rolldown } from "rolldown";
import { ALONE } from "../src/cli/alone.ts";

/**
 * commander asks for child_process to start subcommands that are programs of their own,
 * which tsimg has none of: leaving it out saves 5 ms at every start.
 */
const withoutChildProcess: Plugin = {
  name: "commander-without-child-process",
  resolveId(source, importer) {
    const unused = source === "node:child_process" && importer?.includes("/commander/") === true;
    return unused ? "\0no-child-process" : null;
  },
  load(id) {
    return id === "\0no-child-process" ? "export default {};" : null;
  },
};

/** The entry of a file with one command alone, see src/cli/alone.ts. */
const aloneEntries: Plugin = {
  name: "commands-alone",
  resolveId: (source) => (source.startsWith("alone:") ? `\0${source}` : null),
  load(id) {
    const [, command] = /^\0alone:(.*)$/.exec(id) ?? [];
    if (command === undefined) return null;
    const of = (file: string) => JSON.stringify(resolve("src/cli", file));
    return `
      import { command } from ${of(`${command}.ts`)};
      import { runPlainLine } from ${of("plain-line.ts")};
      export { beforeBecoming } from ${of("../sys/become.ts")};
      export const runLine = (line) => runPlainLine(command(), line);`;
  },
};

/** V8 has text of one byte a character from the disk as it is. */
const inAscii: Plugin = {
  name: "ascii",
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== "chunk") continue;
      chunk.code = chunk.code.replace(/[^\0-\x7f]/g, (unit) => {
        return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
      });
    }
  },
};

const INPUT: InputOptions = {
  platform: "node",
  external: ["ffi-rs", "zlib-sync"],
  plugins: [withoutChildProcess, aloneEntries],
  logLevel: "warn",
  // A file that one command asks for late, another has from the start.
  checks: { ineffectiveDynamicImport: false },
};

/**
 * Bundles the programs into `outDir`: CommonJS, since one such file starts faster than ES
 * modules do, with a chunk for each command, so that none loads what another needs.
 */
export async function bundle(outDir: string): Promise<void> {
  const programs = {
    tsimg: "src/cli/main.ts",
    unpack: "src/layer/unpack-main.ts",
    bench: "src/bench/bench-main.ts",
  };
  await write({ ...INPUT, input: programs }, { dir: outDir, chunkFileNames: "chunks/[name].cjs" });
  for (const command of ALONE) {
    const directory = join(outDir, "alone", command);
    await write(
      { ...INPUT, input: `alone:${command}` },
      {
        dir: directory,
        entryFileNames: "entry.cjs",
        chunkFileNames: "[name].cjs",
        codeSplitting: { groups: [{ name: "all", tags: ["$initial"] }] },
        minifyInternalExports: false,
        minify: { compress: true, mangle: true, codegen: true },
        plugins: [inAscii],
      },
    );
    // It would only pass on what the other file exports by the same names.
    for (const name of ["entry.cjs", "entry.cjs.map"])
      rmSync(join(directory, name), { force: true });
  }
}

async function write(input: InputOptions, output: OutputOptions): Promise<void> {
  const build = await rolldown(input);
  await build.write({
    format: "cjs",
    entryFileNames: "[name].cjs",
    minify: { compress: true, mangle: false, codegen: true },
    sourcemap: true,
    ...output,
  });
  await build.close();
}
