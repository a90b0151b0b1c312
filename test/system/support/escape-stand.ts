import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { buildAttack } from "../../../fixtures/probe/build-probe.ts";
import { buildLauncher, canLaunch, whyNot } from "../launcher-box.ts";
import { EscapeBox } from "./escape-box.ts";
import { traces } from "./leftovers.ts";
import { type Weakness, weakLauncher } from "./weak-launcher.ts";

const hasCompiler = spawnSync("gcc", ["--version"]).status === 0;

/** Why escapes can't be tried here; undefined when they can. */
export const reason = !canLaunch ? `(${whyNot})` : hasCompiler ? undefined : "(needs gcc)";

/** What the tests of escapes share: programs, made once, and a box for each container. */
export interface EscapeStand {
  /** A directory of the host that goes with the tests. */
  readonly directory: string;
  /** The attacker's program, on the host. In a box it is /bin/attack. */
  readonly attack: string;
  box(): EscapeBox;
  weakLauncher(weakness: Weakness): string;
}

/** To be called inside `describe`. Afterwards nothing of what the tests did may be left. */
export function escapeStand(): EscapeStand {
  const directory = mkdtempSync(join(tmpdir(), "tsimg-escape-"));
  let launchers: ReturnType<typeof buildLauncher>;
  let attack = "";
  let weakOnes = 0;
  beforeAll(async () => {
    launchers = buildLauncher();
    attack = await buildAttack(directory);
  });
  afterAll(() => {
    const left = traces(directory);
    launchers[Symbol.dispose]();
    rmSync(directory, { recursive: true, force: true });
    expect(left).toEqual([]);
  });
  return {
    directory,
    get attack() {
      return attack;
    },
    box() {
      const box = new EscapeBox(launchers.directory);
      cpSync(attack, join(box.root, "bin/attack"));
      return box;
    },
    weakLauncher(weakness) {
      weakOnes += 1;
      return weakLauncher(join(directory, `weak-${weakOnes}`), weakness);
    },
  };
}
