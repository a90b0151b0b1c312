import { type ChildProcess, spawn } from "node:child_process";
import { TsimgError } from "../sys/error.ts";
import type { UnpackResult } from "./remainder.ts";
import type { FromUnpacker, ToUnpacker, UnpackJob } from "./unpack-messages.ts";

/** How much of a blob must be new before its reader is told, in bytes. */
const TELL_EVERY = 256 * 1024;
const MAX_STDERR = 4096;
/**
 * The process itself says when to collect garbage: buffers of inflated data are small to V8,
 * which doesn't see the memory outside of its heap that they hold.
 */
const NODE_FLAGS = ["--max-semi-space-size=1", "--expose-gc"];

/** Called with the bytes of the blob that were read, and those that they were inflated to. */
export type OnUnpackProgress = (position: number, inflated: number) => void;

/**
 * One unpack process, from this side. It starts at once and waits for `unpack`; disposing
 * kills it, whatever it does.
 */
export class Unpacker implements Disposable {
  private readonly child: ChildProcess;
  private readonly ended: Promise<void>;
  private told = 0;
  private outcome: UnpackResult | TsimgError | undefined;
  private complaints = "";
  private onProgress: OnUnpackProgress = () => {};

  /** @param program path of the built unpack program */
  constructor(program: string) {
    this.child = spawn(process.execPath, [...NODE_FLAGS, program, String(process.pid)], {
      stdio: ["pipe", "pipe", "pipe"],
      env: {},
    });
    this.ended = new Promise((resolve) => {
      this.child.on("close", () => resolve());
      this.child.on("error", (error) => {
        this.complaints += String(error);
        resolve();
      });
    });
    // Writing to a process that just died is told by its end, not by this.
    this.child.stdin?.on("error", () => {});
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.complaints = (this.complaints + text).slice(-MAX_STDERR);
    });
    this.listen();
  }

  /**
   * Unpacks one layer, following `available` while its blob still grows.
   *
   * @throws TsimgError as the unpack process words it; ERR_UNPACK when it died
   */
  async unpack(job: UnpackJob, onProgress: OnUnpackProgress): Promise<UnpackResult> {
    this.onProgress = onProgress;
    this.send({ job });
    await this.ended;
    if (this.outcome instanceof TsimgError) throw this.outcome;
    if (this.outcome !== undefined) return this.outcome;
    const { signalCode, exitCode } = this.child;
    throw new TsimgError("ERR_UNPACK", `the unpack process died (${signalCode ?? exitCode})`, {
      hint: this.complaints.trim() || "was it killed, or is memory short?",
    });
  }

  /** The first `bytes` of the blob are there; `last` when that is all of it. */
  available(bytes: number, last: boolean): void {
    if (!last && bytes - this.told < TELL_EVERY) return;
    this.told = bytes;
    this.send({ available: bytes, last });
  }

  [Symbol.dispose](): void {
    this.child.kill("SIGKILL");
  }

  private send(message: ToUnpacker): void {
    this.child.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  private listen(): void {
    let rest: string[] = [];
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = text.split("\n");
      if (lines.length === 1) {
        rest.push(text);
        return;
      }
      const first = [...rest, lines[0]].join("");
      rest = [lines.at(-1) ?? ""];
      for (const line of [first, ...lines.slice(1, -1)])
        this.take(JSON.parse(line) as FromUnpacker);
    });
  }

  private take(message: FromUnpacker): void {
    if ("progress" in message) {
      this.onProgress(message.progress, message.inflated);
      return;
    }
    if ("result" in message) this.outcome = message.result;
    else {
      const { code, message: text, hint, errno } = message.failure;
      this.outcome = new TsimgError(code, text, {
        ...(hint !== undefined && { hint }),
        ...(errno !== undefined && { cause: Object.assign(new Error(errno), { code: errno }) }),
      });
    }
    // It has nothing more to do, and Node's own way out can take forever: it joins a thread
    // of V8 that may wait for a garbage collection, which is the joining thread's business.
    this.child.kill("SIGKILL");
  }
}
