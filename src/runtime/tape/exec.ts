import { posix } from "node:path";
import type { Process } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import type { Steps } from "./steps.ts";
import type { Strings } from "./tape.ts";
import { flags } from "./tape.ts";

const MISSING = ["ENOENT", "ENOTDIR"] as const;

/**
 * The command itself. A name without a slash is tried in each directory of the container's
 * PATH, as execvp does. Only when all have failed the tape asks why: 127 is "not found",
 * 126 "found, but can't be run".
 */
export function execute(steps: Steps, process: Process): void {
  const name = process.args[0];
  if (name === undefined || name === "") {
    throw new TsimgError("ERR_USAGE", "no command specified");
  }
  const argv: Strings = { kind: "strings", values: process.args };
  const env: Strings = { kind: "strings", values: process.env };
  const why = `exec: "${name}"`;
  const byPath = name.includes("/");
  const candidates = byPath ? [name] : candidatesOf(name, process.env);
  for (const file of candidates) {
    steps.call("execve", [file, argv, env], why, {
      status: 126,
      tolerate: [...MISSING, "EACCES"],
      hint: 'the file may be made for another architecture, or be a script without a "#!" line',
    });
  }
  for (const file of candidates) {
    steps.attempt(() => steps.call("faccessat", [flags("AT_FDCWD"), file, flags("F_OK")], why), {
      tolerate: "any",
      ok: () => explainFailure(steps, file, argv, env, why, byPath),
    });
  }
  steps.fail(
    byPath ? `${why}: no such file or directory` : `${why}: executable file not found in $PATH`,
    127,
  );
}

/** Ends the tape as `execute` would, when it is already sure that there is no such program. */
export function requireProgram(steps: Steps, process: Process): void {
  const name = process.args[0] ?? "";
  const byPath = name.includes("/");
  const candidates = byPath ? [name] : candidatesOf(name, process.env);
  const why = `exec: "${name}"`;
  // Each success skips the rest, by what is tried next only after a failure.
  const tryFrom = (index: number): void => {
    const file = candidates[index];
    if (file === undefined) {
      const missing = byPath ? "no such file or directory" : "executable file not found in $PATH";
      return steps.fail(`${why}: ${missing}`, 127);
    }
    steps.attempt(() => steps.call("faccessat", [flags("AT_FDCWD"), file, flags("F_OK")], why), {
      tolerate: "any",
      otherwise: () => tryFrom(index + 1),
    });
  };
  tryFrom(0);
}

/** The file is there: it fails again, now for good, and says why. */
function explainFailure(
  steps: Steps,
  file: string,
  argv: Strings,
  env: Strings,
  why: string,
  byPath: boolean,
): void {
  const diagnose = () => {
    steps.call("execve", [file, argv, env], why, {
      status: 127,
      tolerate: ["EACCES"],
      hint: `"${file}" exists, but not the interpreter of its "#!" line or its dynamic loader`,
    });
    steps.call("execve", [file, argv, env], why, { status: 126 });
  };
  if (byPath) return diagnose();
  // Something of that name that nobody may execute is no command: the search passes it over.
  steps.attempt(() => steps.call("faccessat", [flags("AT_FDCWD"), file, flags("X_OK")], why), {
    tolerate: "any",
    ok: diagnose,
  });
}

function candidatesOf(name: string, env: readonly string[]): readonly string[] {
  const path = env.findLast((entry) => entry.startsWith("PATH="))?.slice("PATH=".length) ?? "";
  const directories = path.split(":").filter((directory) => directory.startsWith("/"));
  return [...new Set(directories)].map((directory) => posix.join(directory, name));
}
