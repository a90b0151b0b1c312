import { spawnSync } from "node:child_process";
import type { HookName, Spec } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";

/**
 * Runs a bundle's hooks of one kind, in order, with the container's state on their input.
 *
 * @throws TsimgError ERR_LAUNCH for one that fails, with the last line that it wrote
 * @see OCI runtime-spec, config.md, "POSIX-platform Hooks"
 */
export function runHooks(spec: Spec, name: HookName, state: object): void {
  for (const { path, args = [path], env = [], timeout } of spec.hooks?.[name] ?? []) {
    const [argv0 = path, ...rest] = args;
    const run = spawnSync(path, rest, {
      argv0,
      env: Object.fromEntries(env.map((entry) => entry.split(/=(.*)/s, 2))),
      input: JSON.stringify(state),
      encoding: "utf8",
      ...(timeout === undefined ? {} : { timeout: timeout * 1000 }),
    });
    if (run.status === 0) continue;
    const said = (run.stderr ?? "").trimEnd().split("\n").at(-1) ?? "";
    const why = run.error?.message ?? `status ${run.status ?? run.signal}`;
    throw new TsimgError(
      "ERR_LAUNCH",
      `${name} hook "${path}" failed: ${why}${said && `: ${said}`}`,
    );
  }
}

/** Kinds that run inside the container's namespaces, which no step of a tape does. */
export function refuseInnerHooks(spec: Spec): void {
  for (const name of ["createContainer", "startContainer"] as const) {
    if ((spec.hooks?.[name] ?? []).length === 0) continue;
    throw new TsimgError("ERR_LAUNCH", `hooks of kind "${name}" are not supported`, {
      hint: "use createRuntime, poststart or poststop hooks, which run on the host",
    });
  }
}

/** Kinds that must have run before the program does: between `create` and `start` there is time. */
export function refuseEarlyHooks(spec: Spec): void {
  for (const name of ["prestart", "createRuntime"] as const) {
    if ((spec.hooks?.[name] ?? []).length === 0) continue;
    throw new TsimgError("ERR_LAUNCH", `run: hooks of kind "${name}" are not supported`, {
      hint: 'use "create" and "start", or "run --detach"',
    });
  }
}
