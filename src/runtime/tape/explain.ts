import type { Argument, Step, Tape } from "./tape.ts";

const STRING_MAX = 200;

/** The tape as strace would print it: one line a step, the reason behind it. */
export function explainTape(tape: Tape): string {
  const clone = tape.cloneFlags.join("|") || "0";
  const lines = [
    "# before: the launcher, on the host",
    ...explainPhase(tape.before),
    "",
    `clone3({flags=${clone}, exit_signal=SIGCHLD})`,
    "",
    ...(tape.beside.length === 0
      ? []
      : ["# beside: the launcher, while the child's steps run", ...explainPhase(tape.beside), ""]),
    "# child: the container's first process",
    ...explainPhase(tape.child),
    "",
    "# after: the launcher, when the container has ended or could not be started",
    ...explainPhase(tape.after),
  ];
  return `${lines.join("\n")}\n`;
}

/** Indentation shows which steps belong to the outcome of the one above them. */
function explainPhase(steps: readonly Step[]): string[] {
  const depth = new Array<number>(steps.length).fill(0);
  const lines: string[] = [];
  steps.forEach((step, index) => {
    const jump = Math.max(step.skipOnOk, step.skipOnTolerated);
    for (let at = index + 1; at <= index + jump && at < steps.length; at++) {
      depth[at] = (depth[at] ?? 0) + 1;
    }
    lines.push(`${"  ".repeat(depth[index] ?? 0)}${explainStep(step)}`);
  });
  return lines;
}

export function explainStep(step: Step): string {
  const call = `${step.call}(${step.args.map(explainArgument).join(", ")})`;
  const result = step.result === undefined ? "" : `$${step.result.index} = `;
  const tolerated = step.tolerate === "any" ? ["any error"] : step.tolerate;
  const notes = [
    ...(tolerated.length === 0 ? [] : [`${tolerated.join(", ")}: ${onTolerated(step)}`]),
    ...(step.skipOnOk === 0 ? [] : [`ok: skip ${step.skipOnOk}`]),
    ...(step.retryBusy ? ["EBUSY: retry"] : []),
  ];
  const note = notes.length === 0 ? "" : `  [${notes.join("; ")}]`;
  return `${result}${call}${note}  # ${step.why}`;
}

function onTolerated(step: Step): string {
  const then = step.skipOnTolerated === 0 ? "go on" : `skip ${step.skipOnTolerated}`;
  return step.warn ? `warn, ${then}` : then;
}

function explainArgument(argument: Argument): string {
  if (typeof argument === "number" || typeof argument === "bigint") return String(argument);
  if (typeof argument === "string") return quote(argument);
  switch (argument.kind) {
    case "flags": {
      const bits = argument.bits === undefined ? [] : [`0${argument.bits.toString(8)}`];
      return [...argument.names, ...bits].join("|") || "0";
    }
    case "register":
      return `$${argument.index}`;
    case "strings":
      return `[${argument.values.map(quote).join(", ")}]`;
    case "place":
      return `&${argument.of.text}[${argument.offset}]`;
    default:
      return argument.text;
  }
}

function quote(text: string): string {
  const shown = text.length > STRING_MAX ? `${text.slice(0, STRING_MAX)}…` : text;
  return JSON.stringify(shown);
}
