import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildAttack } from "../../fixtures/probe/build-probe.ts";
import type { Tape } from "../../src/runtime/tape/tape.ts";
import { flags } from "../../src/runtime/tape/tape.ts";
import { Stage, reason as stageReason } from "./run-stage.ts";
import { escapeStand, reason } from "./support/escape-stand.ts";
import { attackExec, clonedInto, type Place } from "./support/exec-victim.ts";
import { all, type Change, first } from "./support/weaken.ts";

/** A launcher that holds a directory of the host, and so does what it clones. */
function holding(directory: string): Change {
  const args = [flags("AT_FDCWD"), directory, flags("O_DIRECTORY")];
  return (tape) => {
    const [step] = first({ call: "openat", args })({ ...tape, child: [] }).child;
    const before: Tape["before"] = step === undefined ? [] : [step];
    return { ...tape, before: [...before, ...tape.before] };
  };
}

// CVE-2016-9962: the container traces, or takes descriptors of, a process that enters it.
describe.skipIf(reason)(`a process that enters a container ${reason ?? ""}`, () => {
  const stand = escapeStand();
  const places: readonly Place[] = [
    "its first moment",
    "the namespaces joined",
    "all let go",
    "handed over",
  ];

  const seen = async (
    place: Place,
    capAdd: readonly string[],
    change?: Change,
    enters: "exec" | "run" = "exec",
  ) => {
    using box = stand.box();
    mkdirSync(box.path("host"));
    writeFileSync(box.path("host/secret"), "the host's");
    const held = holding(box.path("host"));
    const whole = change === undefined ? held : all(held, change);
    return await attackExec(box, place, whole, { capAdd }, enters);
  };

  test.each(places)("shows nothing of the host at %s, even to SYS_PTRACE", async (place) => {
    expect(await seen(place, ["SYS_PTRACE"])).toBe("ready\ndone\n");
  });

  test("shows much when it is cloned into the container's PID namespace", async () => {
    for (const place of ["its first moment", "the namespaces joined"] as const)
      expect(await seen(place, ["SYS_PTRACE"], clonedInto)).toContain("the host's");
    // Whoever has no such capability is kept out by PR_SET_DUMPABLE.
    expect(await seen("its first moment", [], clonedInto)).toBe("ready\ndone\n");
  });

  // The container that joins: all of it is made outside.
  test.each(["its first moment", "handed over"] as const)(
    "shows nothing of the host at %s of --pid container:",
    async (place) => {
      expect(await seen(place, ["SYS_PTRACE"], undefined, "run")).toBe("ready\ndone\n");
      if (place === "its first moment")
        expect(await seen(place, ["SYS_PTRACE"], clonedInto, "run")).toContain("the host's");
    },
  );
});

const TIMES = 12;

describe.skipIf(reason ?? stageReason)(`who looks at all processes ${reason ?? ""}`, () => {
  let stage: Stage;
  let attack: string;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
    mkdirSync(join(stage.root, "attack"));
    attack = await buildAttack(join(stage.root, "attack"));
    writeFileSync(join(stage.root, "secret"), "the host's");
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  /** What a container that looks has seen while `enter` was done. */
  async function looking(given: readonly string[], enter: () => Promise<void>): Promise<string> {
    const place = ["-v", `${attack}:/bin/attack:ro`, "--cap-add", "SYS_PTRACE"];
    const words = ["attack", "look", join(stage.root, "secret"), "/stop"];
    await stage.output("run", "-d", "--name", "looks", ...place, ...given, stage.tiny, ...words);
    try {
      while (!(await stage.output("logs", "looks")).startsWith("ready")) await sleep(20);
      await enter();
      // The container may end, and touch with it, before touch has.
      expect([0, 137]).toContain((await stage.tsimg(["exec", "looks", "touch", "/stop"])).status);
      expect(await stage.output("wait", "looks")).toBe("0\n");
      return await stage.output("logs", "looks");
    } finally {
      await stage.tsimg(["rm", "-f", "looks"]);
    }
  }
  const often = async (...words: string[]) => {
    for (let time = 0; time < TIMES; time++) {
      // From a directory that could be seen.
      const done = await stage.shell(`cd ${stage.root} && exec $TSIMG ${words.join(" ")}`);
      expect(done).toMatchObject({ status: 0, stderr: "" });
    }
  };
  /** Each is seen, as itself and as its program, which stays a moment for that; how often, depends. */
  const SEEN = /^ready\nprocesses: [1-9]\d*\n$/;
  const MAP = ["--uidmap", "0:300000:65536", "--gidmap", "0:400000:65536"];

  test.each([
    { title: "no", given: [] },
    { title: "a", given: MAP },
  ])("sees nothing of the host in what enters with $title user namespace", async ({ given }) => {
    expect(await looking(given, () => often("exec", "looks", "sleep", "0.05"))).toMatch(SEEN);
  });
  test("nor in containers that join its processes, and what enters those", async () => {
    const joined = ["--pid", "container:looks"];
    const said = await looking([], async () => {
      await often("run", "--rm", ...joined, stage.tiny, "sleep", "0.05");
      await stage.output("run", "-d", "--name", "joins", ...joined, stage.tiny, "sleep", "1000");
      try {
        await often("exec", "joins", "sleep", "0.05");
      } finally {
        await stage.output("rm", "-f", "joins");
      }
    });
    expect(said).toMatch(SEEN);
  });
});
