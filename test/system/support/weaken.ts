import type { Argument, Step, Tape, Words } from "../../../src/runtime/tape/tape.ts";

/*
 * A launch tape without one of its protections. An attack must succeed on it: else the test
 * of the attack proves nothing. Each function fails when the tape has no such step.
 */

export type Change = (tape: Tape) => Tape;
type Chosen = (step: Step) => boolean;

/** All of them, one after the other. */
export function all(...changes: readonly Change[]): Change {
  return (tape) => changes.reduce((changed, change) => change(changed), tape);
}

/** Chooses steps by the beginning of what they are for, and by the call. */
export function steps(why: string, call?: Step["call"]): Chosen {
  return (step) => step.why.startsWith(why) && (call === undefined || step.call === call);
}

/** Passes over these steps of the child as if they had succeeded. */
export function without(why: string, call?: Step["call"]): Change {
  return altered(steps(why, call), (step) => ({ ...step, call: "skip", args: [], tolerate: [] }));
}

/** As `without`, on the host before the clone. */
export function withoutBefore(why: RegExp, call?: Step["call"]): Change {
  return (tape) => {
    const before = tape.before.map((step): Step => {
      return why.test(step.why) && step.call === (call ?? step.call)
        ? { ...step, call: "skip", args: [], tolerate: [] }
        : step;
    });
    mustDiffer(before, tape.before, String(why));
    return { ...tape, before };
  };
}

export function altered(chosen: Chosen, alter: (step: Step) => Step): Change {
  return (tape) => {
    const child = tape.child.map((step) => (chosen(step) ? alter(step) : step));
    mustDiffer(child, tape.child, String(chosen));
    return { ...tape, child };
  };
}

/** Other arguments for the chosen steps. */
export function rearranged(
  chosen: Chosen,
  rearrange: (args: readonly Argument[]) => readonly Argument[],
): Change {
  return altered(chosen, (step) => ({ ...step, args: rearrange(step.args) }));
}

/** A step in front of all others of the child. */
export function first(step: Pick<Step, "call" | "args">): Change {
  return (tape) => ({ ...tape, child: [{ ...PLAIN, ...step }, ...tape.child] });
}

/** Paths are looked up as the host would, through whatever links there are. */
export const unscoped: Change = rearranged(
  (step) => step.call === "openat2",
  ([directory = 0, path = 0, how, size = 0]) => [directory, path, scopeless(how as Words), size],
);

/** The kernel's /proc is mounted before the volumes, which may then cover it. */
export const procFirst: Change = (tape) => {
  const isProc = (step: Step) =>
    /^(mounting proc on|finding directory|making directory) "\/proc"/.test(step.why);
  const moved = tape.child.filter(isProc);
  const rest = tape.child.filter((step) => !isProc(step));
  const place = rest.findIndex(({ why }) => /^mounting \w+ on "\/dev"/.test(why));
  const child = [...rest.slice(0, place), ...moved, ...rest.slice(place)];
  mustDiffer(child, tape.child, "/proc first");
  return { ...tape, child };
};

/** The container shares this namespace with the host. */
export function sharing(...names: readonly Tape["cloneFlags"][number][]): Change {
  return (tape) => {
    const cloneFlags = tape.cloneFlags.filter((name) => !names.includes(name));
    mustDiffer(cloneFlags, tape.cloneFlags, names.join());
    return { ...tape, cloneFlags };
  };
}

/** Open-how structures are shared by many steps and must stay so. */
const scopelessOnes = new Map<Words, Words>();

function scopeless(how: Words): Words {
  const known = scopelessOnes.get(how);
  if (known !== undefined) return known;
  const made: Words = { ...how, words: [...how.words.slice(0, 2), 0] };
  scopelessOnes.set(how, made);
  return made;
}

const PLAIN: Step = {
  ...{ call: "skip", args: [], why: "weakening", hint: undefined, status: 125 },
  ...{ result: undefined, tolerate: [], warn: false, retryBusy: false },
  ...{ skipOnOk: 0, skipOnTolerated: 0 },
};

function mustDiffer(after: readonly unknown[], before: readonly unknown[], what: string): void {
  const same = after.length === before.length && after.every((one, at) => one === before[at]);
  if (same) throw new Error(`the tape has nothing to weaken: ${what}`);
}
