import { getSystemErrorMessage, inspect } from "node:util";
import { ErrnoError, errorCode } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { escapeControl } from "./escape-control.ts";

/** Exit status of a command that failed in a way nobody foresaw, as docker's daemon errors. */
const UNFORESEEN_STATUS = 125;
const INTERRUPTED_STATUS = 130;

/** Causes behind causes are followed this far. */
const MOST_CAUSES = 5;

/**
 * Tells the user what went wrong: message and hint on a line each; with `debug` also the
 * code and the stack. An interrupt by the user isn't told: they know.
 *
 * @returns the status to exit with
 */
export function reportError(
  error: unknown,
  stream: { write(text: string): unknown },
  { debug }: { readonly debug: boolean },
): number {
  const first = firstFailure(error);
  if (isAbort(first)) {
    if (debug) stream.write(stackOf(first));
    return INTERRUPTED_STATUS;
  }
  stream.write(`tsimg: ${escapeControl(describe(first))}\n`);
  const hint = hintOf(first, debug);
  if (hint !== undefined) stream.write(`hint: ${escapeControl(hint)}\n`);
  if (debug) stream.write(stackOf(first));
  return first instanceof TsimgError ? first.exitStatus : UNFORESEEN_STATUS;
}

/** Clean-up that fails too hides what it was about: that one matters. */
function firstFailure(error: unknown): unknown {
  return error instanceof SuppressedError ? firstFailure(error.suppressed) : error;
}

function isAbort(error: unknown): boolean {
  return (
    error instanceof Error && (error.name === "AbortError" || errorCode(error) === "ABORT_ERR")
  );
}

/** One line: the message, and why, where the message doesn't say so itself. */
function describe(error: unknown, depth = 0): string {
  const message = ownMessage(error, depth);
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause === undefined || depth >= MOST_CAUSES || !addsTo(message, error, cause)) return message;
  return `${message}: ${describe(cause, depth + 1)}`;
}

function ownMessage(error: unknown, depth: number): string {
  if (error instanceof ErrnoError) return withErrnoText(error);
  if (error instanceof AggregateError && error.message === "" && depth < MOST_CAUSES)
    return error.errors.map((each) => describe(each, depth + 1)).join("; ");
  if (error instanceof Error) return error.message === "" ? error.name : error.message;
  return typeof error === "string"
    ? error
    : `unexpected error ${inspect(error, { breakLength: Number.POSITIVE_INFINITY })}`;
}

function withErrnoText({ message, errno }: ErrnoError): string {
  try {
    return `${message} (${getSystemErrorMessage(-errno)})`;
  } catch {
    return message;
  }
}

/**
 * Our own messages are complete, except that a failure of the system may be behind them.
 * Other causes stay unsaid: a parser's complaint may quote a file of secrets.
 */
function addsTo(message: string, error: unknown, cause: unknown): boolean {
  const code = errorCode(cause);
  if (cause instanceof Error && message.includes(cause.message)) return false;
  if (code !== undefined && message.includes(code)) return false;
  return !(error instanceof TsimgError) || (code !== undefined && !(cause instanceof TsimgError));
}

function hintOf(error: unknown, debug: boolean): string | undefined {
  if (error instanceof TsimgError) return error.hint;
  const denied = ["EACCES", "EPERM"].includes(errorCode(error) ?? "");
  if (denied && process.getuid?.() !== 0) return "run tsimg as root: the store is root's";
  if (debug || errorCode(error) !== undefined) return undefined;
  return "this is a fault of tsimg; --debug shows where";
}

/** Code, stack and causes; line by line, since the stack's own line feeds are ours. */
function stackOf(error: unknown, depth = 0): string {
  const code = errorCode(error);
  const stack = error instanceof Error ? (error.stack ?? error.message) : inspect(error);
  const lines = [...(code === undefined ? [] : [`code: ${code}`]), ...stack.split("\n")];
  const shown = lines.map((line) => `${escapeControl(line)}\n`).join("");
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause === undefined || depth >= MOST_CAUSES) return shown;
  return `${shown}caused by: ${stackOf(cause, depth + 1)}`;
}
