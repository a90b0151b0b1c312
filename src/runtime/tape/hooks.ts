import type { Hook, HookName, Spec } from "../../oci/runtime-spec.ts";
import { announce, awaitChild, awaitLauncher, release } from "./await.ts";
import type { Steps } from "./steps.ts";
import { bytes, CHILD, type Register, type Strings, words } from "./tape.ts";

/*
 * Hooks of a bundle that run before its program does:
 *
 *     prestart, createRuntime  by the launcher, on the host, when all is mounted in the root
 *     createContainer          by the child then, in its namespaces, but on the host's root still
 *     startContainer           by the child in front of its program, as that would see things
 *
 * OCI runtime-spec, config.md, "POSIX-platform Hooks".
 */

/** What hooks are told of the container, beside its process ID. */
export interface HookedContainer {
  readonly id: string;
  /** Absolute. */
  readonly bundle: string;
}

const ON_HOST: readonly HookName[] = ["prestart", "createRuntime"];
const MADE = "the hooks on the host";

/** In the launcher, beside the child. */
export function hostHooks(steps: Steps, spec: Spec, container: HookedContainer | undefined): void {
  if (container === undefined || !hasSome(spec, ON_HOST)) return;
  awaitChild(steps, "waiting for the container's mounts");
  for (const name of ON_HOST)
    runHooks(steps, spec, {
      name,
      container,
      status: "creating",
      pid: CHILD,
      cwd: container.bundle,
    });
  release(steps, MADE);
}

/** In the child, when its root is complete, but not yet read-only. */
export function containerHooks(
  steps: Steps,
  spec: Spec,
  container: HookedContainer | undefined,
): void {
  if (container === undefined) return;
  if (hasSome(spec, ON_HOST)) {
    announce(steps, "telling that the mounts are made");
    awaitLauncher(steps, MADE);
  }
  const cwd = spec.root.path;
  inChild(steps, spec, { name: "createContainer", container, status: "creating", cwd });
}

/** In the child, right in front of its program. */
export function startHooks(steps: Steps, spec: Spec, container: HookedContainer | undefined): void {
  if (container === undefined) return;
  inChild(steps, spec, { name: "startContainer", container, status: "created" });
}

interface Hooked {
  readonly name: HookName;
  readonly container: HookedContainer;
  readonly status: "creating" | "created";
  readonly pid: Register;
  readonly cwd?: string;
}

function hasSome({ hooks = {} }: Spec, names: readonly HookName[]): boolean {
  return names.some((name) => (hooks[name] ?? []).length > 0);
}

/** The process ID is the one that the container sees. */
function inChild(steps: Steps, spec: Spec, hooked: Omit<Hooked, "pid">): void {
  if (!hasSome(spec, [hooked.name])) return;
  steps.scope(() => {
    const pid = steps.keep("getpid", [], "naming the container's first process");
    runHooks(steps, spec, { ...hooked, pid });
  });
}

function runHooks(steps: Steps, spec: Spec, hooked: Hooked): void {
  const { name, pid, cwd = 0 } = hooked;
  const digits = bytes("{pid}", new Uint8Array(24));
  const [before, after] = stateText(spec, hooked);
  const input = words("[{state}]", before, digits, after, 0);
  for (const hook of spec.hooks?.[name] ?? []) {
    const why = `${name} hook "${hook.path}" failed`;
    steps.call("print", [digits, pid], why);
    const [argv, env] = stringsOf(hook);
    const timeout = (hook.timeout ?? 0) * 1000;
    steps.call("hook", [hook.path, argv, env, input, timeout, cwd], why);
  }
}

/** The state as JSON, in two parts: between them stands the process ID. */
function stateText({ ociVersion, annotations }: Spec, { container, status }: Hooked) {
  const noted = annotations === undefined ? {} : { annotations };
  const { id, bundle } = container;
  const text = JSON.stringify({ ociVersion, id, status, bundle, ...noted });
  return [`${text.slice(0, -1)},"pid":`, "}"] as const;
}

function stringsOf({ path, args = [path], env = [] }: Hook): readonly [Strings, Strings] {
  return [
    { kind: "strings", values: args },
    { kind: "strings", values: env },
  ];
}
