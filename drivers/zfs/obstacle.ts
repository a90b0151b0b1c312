import { TsimgError } from "../../src/sys/error.ts";

/** Why a dataset can't be destroyed. */
export interface Obstacle {
  readonly dataset: string;
  /**
   * `snapshot`, `clone`, `child`: `what` was made by someone else. `hold`: of the tag `tag`, on
   * the snapshot `what`. `busy`: it is mounted, or was a moment ago. `errno`: anything else.
   */
  readonly kind: "snapshot" | "clone" | "child" | "hold" | "busy" | "errno";
  readonly what: string;
  readonly tag?: string;
}

/** How many are named in a message. */
const SHOWN = 3;

/** One error for all that stands in the way; what didn't has been destroyed by then. */
export function obstacleError(obstacles: readonly Obstacle[]): TsimgError {
  const [first] = obstacles;
  const named = obstacles.slice(0, SHOWN).map(describe).join("; ");
  const more = obstacles.length > SHOWN ? `; and ${obstacles.length - SHOWN} more` : "";
  return new TsimgError("ERR_IN_USE", `${named}${more}`, {
    ...(first !== undefined && { hint: cure(first) }),
  });
}

function describe({ dataset, kind, what, tag }: Obstacle): string {
  const subject = `dataset '${dataset}' can't be destroyed`;
  switch (kind) {
    case "snapshot":
      return `${subject}: it has the snapshot '${what}', which tsimg did not make`;
    case "clone":
      return `${subject}: '${what}' is a clone of it`;
    case "child":
      return `${subject}: it has the child '${what}', which tsimg did not make`;
    case "hold":
      return `${subject}: its snapshot '${what}' is held${tag === undefined ? "" : ` by '${tag}'`}`;
    case "busy":
      return `${subject}: it is mounted or in use`;
    case "errno":
      return `${subject}: ${what}`;
  }
}

function cure({ dataset, kind, what, tag }: Obstacle): string {
  switch (kind) {
    case "snapshot":
      return `when it isn't needed: zfs destroy ${what}; and let the tool that makes them leave out '${parentOf(dataset)}'`;
    case "clone":
    case "child":
      return `when it isn't needed: zfs destroy -r ${what} (to keep it, copy it elsewhere with zfs send first)`;
    case "hold":
      return `zfs release ${tag ?? "TAG"} ${what}`;
    case "busy":
      return `find who has it open: grep -l ${dataset} /proc/[0-9]*/mountinfo`;
    case "errno":
      return "see zpool status";
  }
}

function parentOf(dataset: string): string {
  return dataset.slice(0, dataset.lastIndexOf("/"));
}
