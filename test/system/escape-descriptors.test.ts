import { spawnSync } from "node:child_process";
import { closeSync, cpSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { flags } from "../../src/runtime/tape/tape.ts";
import type { EscapeBox } from "./support/escape-box.ts";
import { escapeStand, reason } from "./support/escape-stand.ts";
import { sealsItself } from "./support/weak-launcher.ts";
import { all, altered, type Change, first, sharing, steps, without } from "./support/weaken.ts";

const noHiding = without("hiding the launcher's memory and program file");
const noClosing = without("letting go of everything of the host");

/** The working directory is entered by its path, as it stands. */
const plainDirectory: Change = all(
  without('finding directory "/proc/self/fd/'),
  altered(steps('changing to directory "/proc/self/fd/', "openat2"), (step) => ({
    ...step,
    call: "chdir",
    args: step.args.slice(1, 2).map((path) => `/${String(path)}`),
    result: undefined,
  })),
  without('changing to directory "/proc/self/fd/', "fchdir"),
  without('changing to directory "/proc/self/fd/', "close"),
);

/** A mistake in a launcher: it holds a directory of the host that execve doesn't close. */
function leaking(directory: string): Change {
  return first({ call: "openat", args: [flags("AT_FDCWD"), directory, flags("O_DIRECTORY")] });
}

describe.skipIf(reason)(`what a container could inherit ${reason ?? ""}`, () => {
  const stand = escapeStand();

  // CVE-2024-21626, with the leak that made it possible.
  test("a leaked descriptor of the host is no working directory", () => {
    using box = stand.box();
    mkdirSync(box.path("host"));
    writeFileSync(box.path("host/secret"), "the host's");
    const answers = (change: Change) =>
      [4, 5, 6, 7, 8, 9].map((fd) => {
        const workdir = `/proc/self/fd/${fd}`;
        const attack = { args: ["cat", "secret"], workdir, change };
        return box.attack(attack).stdout;
      });
    const leak = leaking(box.path("host"));
    const nothing = ["", "", "", "", "", ""];
    expect(answers(leak)).toEqual(nothing);
    // Either guard is enough.
    expect(answers(all(leak, noClosing))).toEqual(nothing);
    expect(answers(all(leak, plainDirectory))).toEqual(nothing);
    expect(answers(all(leak, plainDirectory, noClosing))).toContain("the host's");
  });

  test("nor can the program reach it", () => {
    using box = stand.box();
    mkdirSync(box.path("host"));
    writeFileSync(box.path("host/secret"), "the host's");
    const script = "cat /proc/self/fd/*/secret";
    const leak = leaking(box.path("host"));
    expect(box.says(script, { change: leak })).toContain("No such file");
    expect(box.says(script, { change: all(leak, noClosing) })).toBe("the host's");
  });

  test("descriptors of the caller end with the launcher", () => {
    using box = stand.box();
    writeFileSync(box.path("secret"), "the caller's");
    const script = "cd /proc/self/fd; for fd in ?; do test $fd -gt 2 && cat $fd; done";
    const said = (launcher?: string, change?: Change) => {
      const open = [3, 4, 5, 6, 7, 8, 9].map(() => openSync(box.path("secret"), "r"));
      const attack = { args: ["sh", "-c", script], change, ...(launcher && { launcher }) };
      const [program, tape] = box.prepare(attack);
      const stdio = ["ignore", "pipe", "pipe", ...open] as const;
      const ran = spawnSync(program, [tape], { stdio: [...stdio], encoding: "utf8" });
      for (const fd of open) closeSync(fd);
      return ran.stdout;
    };
    const from = "syscall(SYS_close_range, 3u, ~0u, 0);";
    const edits = [{ file: "launcher.c", from, to: "" }];
    const weak = stand.weakLauncher({ edits });
    expect(said()).toBe("");
    expect(said(weak)).toBe("");
    expect(said(weak, noClosing)).toContain("the caller's");
  });

  test.each([false, true])("the caller's environment stays away, with --init: %s", (init) => {
    using box = stand.box();
    const script = "env; cat /proc/1/environ /proc/self/environ";
    const said = (change?: Change) => {
      const attack = { args: ["sh", "-c", script], flags: { init }, change };
      const [program, tape] = box.prepare(attack);
      const env = { ...process.env, TSIMG_SECRET: "the caller's" };
      return spawnSync(program, [tape], { env, encoding: "utf8" }).stdout;
    };
    expect(said()).toContain("PATH=/bin");
    expect(said()).not.toContain("the caller's");
    // Without --init the launcher's environment ends with execve whatever the tape does.
    if (init) expect(said(noHiding)).toContain("the caller's");
  });

  describe("the launcher's program, as CVE-2019-5736 overwrote it", () => {
    /** A container with the host's processes: what it leaves behind outlives the launcher. */
    const overwrite = (box: EscapeBox, launcher: string, capAdd: readonly string[] = []) => {
      const args = ["sh", "-c", "attack overwrite /proc/$PPID/exe"];
      const change = sharing("CLONE_NEWPID");
      const before = readFileSync(launcher);
      const said = box.attack({ args, change, launcher, flags: { init: true, capAdd } }).stdout;
      return { said, changed: !readFileSync(launcher).equals(before) };
    };
    const copy = (box: EscapeBox) => {
      cpSync(box.launcher, box.path("launcher"));
      return box.path("launcher");
    };

    test("can't be opened by a container's root", () => {
      using box = stand.box();
      expect(overwrite(box, copy(box))).toEqual({ said: "open: EACCES\n", changed: false });
    });

    // The launcher of before the seal: SYS_PTRACE sees through what hides it.
    test.skipIf(!sealsItself())("can't be written to even with SYS_PTRACE", () => {
      using box = stand.box();
      const { said, changed } = overwrite(box, copy(box), ["SYS_PTRACE"]);
      expect(said).toMatch(/^open: ok\n/);
      expect(changed).toBe(false);
    });

    test("is overwritten where it isn't sealed", () => {
      using box = stand.box();
      const weak = stand.weakLauncher({ defines: ["TSIMG_WEAK_NO_SEAL"] });
      const { said, changed } = overwrite(box, weak, ["SYS_PTRACE"]);
      expect(said).toBe("open: ok\nwrite: ok\n");
      expect(changed).toBe(true);
    });
  });
});
