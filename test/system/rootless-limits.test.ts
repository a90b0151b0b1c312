import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outcomeOf } from "../../fixtures/command.ts";
import { TSIMG } from "./run-stage.ts";
import { hasBusybox } from "./support/busybox-image.ts";
import { absentForDelegation } from "./support/delegated-group.ts";
import { DelegatedUser } from "./support/delegated-user.ts";
import { limitCases } from "./support/limit-cases.ts";
import { LimitStage } from "./support/limit-stage.ts";
import { absentForUser } from "./support/ordinary-user.ts";

const reason =
  process.getuid?.() !== 0
    ? "(needs root)"
    : (absentForDelegation ??
      absentForUser() ??
      (hasBusybox() ? undefined : "(needs a static busybox)"));

/** Allocates 64 MiB and fills them. */
const ALLOCATE = "exec busybox dd if=/dev/zero of=/dev/null bs=64M count=1";

describe.skipIf(reason)(`an ordinary user's limits ${reason ?? ""}`, () => {
  let it: DelegatedUser;
  beforeAll(() => {
    it = new DelegatedUser("tsimg-limited");
  });
  afterAll(() => it?.[Symbol.asyncDispose]());

  describe("with a shell in a group below the one that was handed over", () => {
    limitCases(() => LimitStage.open(it.owner(it.group.session)));
  });
});

describe.skipIf(reason)(`an ordinary user's shell ${reason ?? ""}`, () => {
  test("may be in the very group that was handed over: it is moved beside the containers'", async () => {
    await using it = new DelegatedUser("tsimg-crowded");
    await using stage = await LimitStage.open(it.owner(it.group.session));
    const limits = "--memory 16m --memory-swap 16m --pids-limit 20";
    const tsimg = `env TSIMG_NETWORK=none ${TSIMG} --root ${stage.tsimg.root}`;
    const script = `
      ${tsimg} run --name it ${limits} ${stage.image} sh -c '${ALLOCATE}'
      echo $?
      ${tsimg} inspect -f '{{.State.OOMKilled}}' it
      cat /proc/self/cgroup`;
    const { stdout } = await outcomeOf(
      it.group.argv(it.group.path, ...it.user.argv("sh", "-c", script)),
    );
    expect(stdout.toString()).toBe("137\ntrue\n0::/tsimg-crowded/own/tsimg-outside\n");
    const passed = readFileSync(join(it.group.path, "cgroup.subtree_control"), "utf8");
    expect(passed.trim().split(" ").sort()).toEqual(["memory", "pids"]);
  });

  test("that was given no group is told what can't be done, and the rest is", async () => {
    await using it = new DelegatedUser("tsimg-groupless");
    await using stage = await LimitStage.open(it.owner("/sys/fs/cgroup"));
    const refused = await stage.tsimg.run("run", "--rm", "--memory", "64m", stage.image, "true");
    expect(refused.status).toBe(125);
    expect(refused.stderr).toMatch(/no cgroup was handed over to you: a limit of "memory"/);
    const id = await stage.start([], "sleep 600");
    for (const [command, what] of [
      [["pause", id], "paused"],
      [["stats", "--no-stream", id], "measured"],
      [["top", id], "told from other processes"],
      [["update", "--memory", "64m", id], "no cgroup was handed over"],
    ] as const) {
      const { status, stderr } = await stage.tsimg.run(...command);
      expect(stderr).toContain(what);
      expect(status).not.toBe(0);
    }
    await stage.tsimg.output("stop", "-t", "0", id);
  });

  test("that comes later, from elsewhere, finds the container's groups", async () => {
    await using it = new DelegatedUser("tsimg-elsewhere");
    await using stage = await LimitStage.open(it.owner(it.group.session));
    const id = await stage.start(["--memory", "64m"], "sleep 600");
    const later = it.owner("/sys/fs/cgroup").tsimg(stage.tsimg.root);
    await later.output("update", "--memory", "32m", "--memory-swap", "64m", id);
    expect(stage.groupText(id, "memory", "", "memory.max")).toBe(String(32 * 1024 * 1024));
    const { MemUsage } = JSON.parse(
      await later.output("stats", "--no-stream", "--format", "json", id),
    );
    expect(MemUsage).toMatch(/ \/ 32MiB$/);
    await later.output("pause", id);
    expect(stage.groupText(id, "freezer", "", "cgroup.freeze")).toBe("1");
    await later.output("unpause", id);
    const entered = await later.run("exec", id, "true");
    expect(entered.stderr).toMatch(/joining cgroup .*\nhint: .*was handed over/);
    expect(entered.status).toBe(125);
    await later.output("rm", "-f", id);
  });
});
