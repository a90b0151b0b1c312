import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { builtProgram } from "../../app.ts";
import { TsimgError } from "../../sys/error.ts";
import { escapeControl } from "../output/escape-control.ts";

/** How long a command may take to end after it was asked to, in milliseconds. */
const PATIENCE = 3000;

export interface StageOptions {
  readonly output: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Stops the command that runs. */
  readonly signal: AbortSignal;
  /** The store that every command works on. */
  readonly store: string;
}

/** What a command printed. */
export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandLine {
  /** As typed after `tsimg --root DIR`. */
  readonly args: readonly string[];
  /**
   * `through`: the command has the terminal to itself. `kept`: what it prints on standard
   * output is shown and kept. `silent`: all of it is only kept.
   */
  readonly output: "through" | "kept" | "silent";
}

/** The demo shows what can be seen on disk, whatever driver is configured. */
export const DEMO_DRIVER = "overlay2";

/** Where the demo plays: explanations, and real commands with what they really print. */
export class Stage {
  private readonly options: StageOptions;
  private headings = 0;

  constructor(options: StageOptions) {
    this.options = options;
  }

  heading(text: string): void {
    this.headings += 1;
    const { output, env } = this.options;
    const plain = `${this.headings}. ${text}`;
    const bold = output.isTTY === true && !env["NO_COLOR"] && env["TERM"] !== "dumb";
    output.write(bold ? `\n\x1b[1m${plain}\x1b[22m\n\n` : `\n${plain}\n\n`);
  }

  /** Lines that are set already. Names and contents in them can't move the cursor. */
  lines(...lines: readonly string[]): void {
    for (const line of lines) this.options.output.write(`${escapeControl(line).trimEnd()}\n`);
  }

  /**
   * Shows a tsimg command as one types it, and runs it.
   *
   * @throws TsimgError ERR_STATE when it fails; the signal's reason when that is aborted
   */
  async run(command: CommandLine): Promise<Printed> {
    const { signal, store } = this.options;
    const args = ["--root", store, ...command.args];
    signal.throwIfAborted();
    this.lines("", ...typed(["tsimg", ...args]));
    const silent = command.output === "silent";
    const child = spawn(process.execPath, [builtProgram("tsimg.cjs"), ...args], {
      env: withoutOurOwn(this.options.env),
      stdio:
        command.output === "through"
          ? ["ignore", "inherit", "inherit"]
          : ["ignore", "pipe", silent ? "pipe" : "inherit"],
    });
    const printed = { stdout: "", stderr: "" };
    child.stdout?.on("data", (chunk: Buffer) => {
      printed.stdout += chunk;
      if (!silent) this.options.output.write(chunk);
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      printed.stderr += chunk;
    });
    const status = await endOf(child, signal);
    signal.throwIfAborted();
    if (status === 0) return printed;
    process.stderr.write(printed.stderr);
    throw new TsimgError("ERR_STATE", `"tsimg ${command.args[0]}" failed in the demo`);
  }
}

async function endOf(child: ChildProcess, signal: AbortSignal): Promise<number | null> {
  let killer: NodeJS.Timeout | undefined;
  const stop = () => {
    child.kill("SIGTERM");
    killer = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
  };
  const kill = () => void child.kill("SIGKILL");
  // Ahead of whatever clears up behind it.
  process.prependListener("exit", kill);
  signal.addEventListener("abort", stop, { once: true });
  try {
    const [status] = (await once(child, "close")) as [number | null];
    return status;
  } finally {
    process.off("exit", kill);
    signal.removeEventListener("abort", stop);
    clearTimeout(killer);
  }
}

/** What the user set for their own store is not meant for the demo's. */
function withoutOurOwn(env: StageOptions["env"]): Record<string, string | undefined> {
  const others = Object.entries(env).filter(([name]) => !name.startsWith("TSIMG_"));
  return { ...Object.fromEntries(others), TSIMG_DRIVER: DEMO_DRIVER };
}

/** A command line as a shell takes it, broken where it gets too long for 80 columns. */
function typed(words: readonly string[]): readonly string[] {
  const lines: string[] = [];
  let line = "$";
  for (const word of words.map(quoted)) {
    const [firstLine = ""] = word.split("\n");
    if (line.length + firstLine.length > 76) {
      lines.push(`${line} \\`);
      line = "   ";
    }
    line += ` ${word}`;
  }
  return [...lines, line].flatMap((each) => each.split("\n"));
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
