import { poolOf, SEAL } from "./dataset-name.ts";
import type { Obstacle } from "./obstacle.ts";
import { tryZfs, zfsFailure } from "./zfs-command.ts";

/** Datasets in one program: their names must fit the command line. */
const BATCH = 500;

/**
 * Runs inside the kernel, in one transaction group, so that nobody can make a clone or a
 * snapshot between the look and the deed.
 *
 * Arguments: the name of our snapshots, then datasets, children before their parents.
 * Answers a line for each obstacle: kind, dataset, what, tag.
 * @see zfs-program(8)
 */
const PROGRAM = `
local argv = (...)["argv"]
local seal = argv[1]
local kept, said = {}, {}

local function say(ds, kind, what, tag)
  kept[ds] = true
  said[#said + 1] = kind .. "\\t" .. ds .. "\\t" .. what .. "\\t" .. (tag or "")
end

local function look(ds)
  local seals = {}
  for child in zfs.list.children(ds) do say(ds, "child", child) end
  for snap in zfs.list.snapshots(ds) do
    if snap == ds .. "@" .. seal then seals[1] = snap else say(ds, "snapshot", snap) end
    for clone in zfs.list.clones(snap) do
      if kept[clone] then kept[ds] = true else say(ds, "clone", clone) end
    end
    if zfs.list.holds then
      for tag in zfs.list.holds(snap) do say(ds, "hold", snap, tag) end
    end
  end
  return seals[1]
end

for i = 2, #argv do
  local ds = argv[i]
  if zfs.exists(ds) then
    local snap = look(ds)
    if not kept[ds] then
      local failed = 0
      if snap then failed = zfs.sync.destroy(snap) end
      if failed == 0 then failed = zfs.sync.destroy(ds) end
      if failed == 16 then say(ds, "busy", "")
      elseif failed ~= 0 then say(ds, "errno", "errno " .. failed) end
    end
  end
end
return table.concat(said, "\\n")
`;

/**
 * Destroys datasets and our snapshots of them, with one process for hundreds.
 *
 * @param datasets children before their parents
 * @returns undefined when this ZFS has no channel programs (before 0.8); nothing was done then
 */
export function destroyInKernel(datasets: readonly string[]): readonly Obstacle[] | undefined {
  const obstacles: Obstacle[] = [];
  for (let start = 0; start < datasets.length; start += BATCH) {
    const batch = datasets.slice(start, start + BATCH);
    const args = ["program", "-j", poolOf(batch[0] ?? ""), "-", SEAL, ...batch];
    const outcome = tryZfs(args, PROGRAM);
    if (outcome.status === 2 && start === 0) return undefined;
    if (outcome.status !== 0) throw zfsFailure(args, outcome);
    obstacles.push(...parseAnswer(outcome.stdout));
  }
  return obstacles;
}

/** @param json `{"return": "lines"}` */
function parseAnswer(json: string): readonly Obstacle[] {
  const answer: unknown = JSON.parse(json);
  const isObject = typeof answer === "object" && answer !== null && "return" in answer;
  const text = isObject && typeof answer.return === "string" ? answer.return : "";
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [kind = "", dataset = "", what = "", tag = ""] = line.split("\t");
      return { kind: kind as Obstacle["kind"], dataset, what, ...(tag !== "" && { tag }) };
    });
}
