import { TsimgError } from "../../sys/error.ts";

export type StreamName = "stdin" | "stdout" | "stderr";

const STREAMS: readonly StreamName[] = ["stdin", "stdout", "stderr"];

/**
 * The streams that `--attach` names, in any case; none: nobody has chosen.
 *
 * @throws TsimgError ERR_USAGE for what is no stream
 */
export function parseAttach(values: readonly string[]): readonly StreamName[] {
  return values.map((value) => {
    const stream = STREAMS.find((name) => name === value.toLowerCase());
    if (stream !== undefined) return stream;
    throw new TsimgError("ERR_USAGE", `--attach: "${value.slice(0, 64)}" is no stream`, {
      hint: "streams are STDIN, STDOUT and STDERR",
    });
  });
}

/** Of the container's output what a choice of streams leaves out. */
export function leftStreams(chosen: readonly StreamName[]): readonly ("stdout" | "stderr")[] {
  const output = ["stdout", "stderr"] as const;
  return chosen.length === 0 ? [] : output.filter((name) => !chosen.includes(name));
}
