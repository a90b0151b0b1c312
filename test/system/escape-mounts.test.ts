import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compileTape } from "../../src/runtime/tape/compile.ts";
import type { Argument, Tape } from "../../src/runtime/tape/tape.ts";
import { flags } from "../../src/runtime/tape/tape.ts";
import type { Attack, EscapeBox } from "./support/escape-box.ts";
import { escapeStand, reason } from "./support/escape-stand.ts";
import { swapping } from "./support/swapping.ts";
import { type Change, procFirst, rearranged, steps, unscoped, without } from "./support/weaken.ts";

/** Launches of a race that must never be won. The weak launcher loses within a few. */
const LAUNCHES = 40;
/** When nothing has come of a race by then, nobody took part in it. */
const MOST_LAUNCHES = 1000;
/** On one processor the attacker's turns come between launches, hardly ever within one. */
const racing = test.skipIf(availableParallelism() < 2);
/** MOVE_MOUNT_F_EMPTY_PATH */
const EMPTY_SOURCE = 4;

/** Mounts on the path as the host walks it, after it was found to be in the container. */
function mountedByPath(destination: string, path: string): Change {
  return rearranged(
    (step) => step.call === "move_mount" && step.why.endsWith(` on "${destination}"`),
    ([mount = 0]) => [mount, "", flags("AT_FDCWD"), path, EMPTY_SOURCE],
  );
}

/** The container's root on this tape. */
function rootOf(tape: Tape): Argument {
  const step = tape.child.find(({ why, call }) => call === "move_mount" && why.endsWith('on "/"'));
  return step?.args[0] ?? 0;
}

/** A directory on the host, with a name in it that an attacker makes a way out. */
function shared(box: EscapeBox): { readonly shared: string; readonly outside: string } {
  const [own, outside] = [box.path("shared"), box.path("outside")];
  for (const path of [`${own}/swap/target`, `${outside}/target`])
    mkdirSync(path, { recursive: true });
  symlinkSync(outside, `${own}/link`);
  return { shared: own, outside };
}

describe.skipIf(reason)(`mounts that would leave a container ${reason ?? ""}`, () => {
  const stand = escapeStand();

  /** Launches until the container has said `word`, and `least` times. @returns all it said */
  function saidBy(box: EscapeBox, attack: Attack, word: RegExp, least = 1): readonly string[] {
    const said: string[] = [];
    while (said.length < least || !said.some((text) => word.test(text))) {
      if (said.length >= MOST_LAUNCHES) break;
      said.push(box.attack(attack).stdout);
    }
    return said;
  }

  // CVE-2021-30465
  racing("a directory that becomes a link meanwhile leads no mount out", async () => {
    using box = stand.box();
    const places = shared(box);
    mkdirSync(box.path("volume"));
    writeFileSync(box.path("volume/landed"), "");
    const attack = {
      // The last mount shows whether the one before has covered a directory of the host.
      args: ["sh", "-c", "ls /data/swap/target /seen/target 2>&1"],
      binds: [
        [places.shared, "/data"],
        [box.path("volume"), "/data/swap/target"],
        [places.outside, "/seen"],
      ],
    } as const;
    await using _attacker = await swapping(
      stand.attack,
      join(places.shared, "swap"),
      join(places.shared, "link"),
    );
    const landedOutside = /\/seen\/target:\nlanded/;
    const landedInside = /\/data\/swap\/target:\nlanded/;
    const ours = saidBy(box, attack, landedInside, LAUNCHES);
    expect(ours.filter((said) => landedOutside.test(said))).toEqual([]);
    expect(ours).toContainEqual(expect.stringMatching(landedInside));
    const change = mountedByPath("/data/swap/target", `${box.root}/data/swap/target`);
    const weak = saidBy(box, { ...attack, change }, landedOutside);
    expect(weak).toContainEqual(expect.stringMatching(landedOutside));
  });

  test("an image's /etc/hosts that is a link makes no file on the host", () => {
    using box = stand.box();
    const { outside } = shared(box);
    mkdirSync(join(box.root, "etc"));
    symlinkSync(join(outside, "made"), join(box.root, "etc/hosts"));
    const attack = { args: ["sh", "-c", "echo evil >>/etc/hosts"] };
    const { status } = box.attack(attack);
    expect([status, existsSync(join(outside, "made"))]).toEqual([125, false]);
    // With its target's directory in the image it is a file of the image.
    mkdirSync(join(box.root, outside), { recursive: true });
    expect(box.attack(attack).status).toBe(0);
    expect(readdirSync(outside)).toEqual(["target"]);
    box.attack({ ...attack, change: unscoped });
    expect(readdirSync(outside)).toEqual(["made", "target"]);
  });

  // CVE-2025-31133
  racing(
    "a null device that becomes a link to a kernel setting meanwhile masks all the same",
    async () => {
      using box = stand.box();
      const dev = box.path("dev");
      mkdirSync(dev);
      writeFileSync(join(dev, "null"), "");
      symlinkSync("/proc/sys/kernel/core_pattern", join(dev, "evil"));
      const attack = { args: ["cat", "/proc/timer_list"], binds: [[dev, "/dev"]] } as const;
      await using _attacker = await swapping(stand.attack, join(dev, "null"), join(dev, "evil"));
      expect(new Set(saidBy(box, attack, /^$/, LAUNCHES))).toEqual(new Set([""]));
      const change: Change = (tape) =>
        rearranged(steps("finding the null device for masks", "open_tree"), () => {
          return [rootOf(tape), "dev/null", flags("OPEN_TREE_CLOEXEC")];
        })(tape);
      const setting = readFileSync("/proc/sys/kernel/core_pattern", "utf8");
      expect(saidBy(box, { ...attack, change }, /./)).toContain(setting);
    },
  );

  // CVE-2025-52565
  racing(
    "a terminal that becomes a link to a kernel setting meanwhile is still mounted itself",
    async () => {
      using box = stand.box();
      const dev = box.path("dev");
      for (const path of ["pts", "evil"]) mkdirSync(join(dev, path), { recursive: true });
      symlinkSync("/proc/sys/kernel/core_pattern", join(dev, "evil/0"));
      symlinkSync("/dev/ptmx", join(dev, "evil/ptmx"));
      const options = ["newinstance", "ptmxmode=0666", "mode=0620"];
      const attack: Attack = {
        args: ["sh", "-c", "test -c /dev/console && echo terminal || cat /dev/console"],
        flags: { tty: true },
        binds: [[dev, "/dev"]],
        mounts: [{ destination: "/dev/pts", type: "devpts", source: "devpts", options }],
      };
      await using _attacker = await swapping(stand.attack, join(dev, "pts"), join(dev, "evil"));
      // Some launches fail for want of a terminal.
      const ours = new Set(saidBy(box, attack, /terminal/, LAUNCHES));
      expect(ours).toContain("terminal\r\n");
      expect([...ours.difference(new Set(["", "terminal\r\n"]))]).toEqual([]);
      const setting = readFileSync("/proc/sys/kernel/core_pattern", "utf8").trim();
      const change: Change = (tape) =>
        rearranged(steps('mounting the terminal on "/dev/console"', "open_tree"), () => {
          return [rootOf(tape), "dev/pts/0", flags("OPEN_TREE_CLONE", "OPEN_TREE_CLOEXEC")];
        })(tape);
      const weak = saidBy(box, { ...attack, change }, new RegExp(`^${RegExp.escape(setting)}\r`));
      expect(weak).toContain(`${setting}\r\n`);
    },
  );

  // CVE-2019-16884, CVE-2019-19921
  test("nothing may be mounted over parts of /proc", () => {
    using box = stand.box();
    for (const destination of ["/proc/self/attr", "/proc/sys", "/proc/./sys/kernel", "//proc/1"]) {
      const binds = [[box.state, destination]] as const;
      const launch = () => compileTape(box.launch({ args: ["true"], binds }));
      expect(launch).toThrow('it is inside "/proc"');
    }
  });

  // The kernel's own come last, over whatever a volume was led to.
  test("nor where the image's link says /proc", () => {
    using box = stand.box();
    mkdirSync(box.path("volume/self"), { recursive: true });
    mkdirSync(join(box.root, "proc"));
    symlinkSync("/proc", join(box.root, "data"));
    const binds = [[box.path("volume"), "/data"]] as const;
    const attack = { args: ["ls", "/proc"], binds };
    expect(box.attack(attack).stdout).toContain("uptime\n");
    expect(box.attack({ ...attack, change: procFirst })).toMatchObject({
      stdout: "self\n",
      stderr: "",
    });
  });

  // CVE-2025-52881
  test("kernel settings are written to the kernel, not to an image's files", () => {
    using box = stand.box();
    const name = "proc/sys/kernel/shm_rmid_forced";
    mkdirSync(join(box.root, "proc/sys/kernel"), { recursive: true });
    writeFileSync(join(box.root, name), "image's");
    const attack = { args: ["cat", `/${name}`], sysctl: { "kernel.shm_rmid_forced": "1" } };
    expect(box.attack(attack).stdout).toBe("1\n");
    expect(readFileSync(join(box.root, name), "utf8")).toBe("image's");
    const change = without('mounting proc on "/proc"', "move_mount");
    expect(box.attack({ ...attack, change }).stdout).toBe("1mage's");
  });
});
