import { spawnSync } from "node:child_process";
import type { Spec } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import { sleep } from "../../sys/sleep.ts";
import type { OciContainer, OciState } from "./oci-container.ts";

/**
 * Runs a bundle's hooks of one kind, of those that come after the container's own start, in
 * order, with the container's state on their input.
 *
 * @throws TsimgError ERR_LAUNCH for one that fails, with the last line that it wrote
 * @see OCI runtime-spec, config.md, "POSIX-platform Hooks"
 */
export function runHooks(spec: Spec, name: "poststart" | "poststop", state: OciState): void {
  const input = JSON.stringify(told(state));
  for (const { path, args = [path], env = [], timeout } of spec.hooks?.[name] ?? []) {
    const [argv0 = path, ...rest] = args;
    const run = spawnSync(path, rest, {
      argv0,
      env: Object.fromEntries(env.map((entry) => entry.split(/=(.*)/s, 2))),
      input,
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

/** Milliseconds between two looks whether a container runs by now. */
const POLL = 5;

/** For a container that isn't started by a command of its own. @param ended its launcher's end */
export async function runPoststart(
  container: OciContainer,
  ended: Promise<unknown>,
): Promise<void> {
  const { spec } = container.record();
  if (spec.hooks?.poststart === undefined) return;
  let over = false;
  const end = () => {
    over = true;
  };
  ended.then(end, end);
  while (!over && container.started === undefined) await sleep(POLL);
  if (container.started !== undefined) runHooks(spec, "poststart", container.state());
}

/** What the runtime spec has of the state. */
function told({ rootfs: _, created: _created, pid, ...state }: OciState): object {
  return pid === 0 ? state : { ...state, pid };
}
