import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { tolerating } from "../../src/sys/errno.ts";
import type { Attack, EscapeBox } from "./support/escape-box.ts";
import { escapeStand, reason } from "./support/escape-stand.ts";
import { terminalWords } from "./support/on-terminal.ts";
import { all, type Change, sharing, without } from "./support/weaken.ts";

const hasPython = spawnSync("python3", ["-c", "import pty, termios"]).status === 0;
/** Kernels before 6.2 always do; SYS_ADMIN may whatever this says. */
const kernelTypes =
  tolerating(["ENOENT"], () => readFileSync("/proc/sys/dev/tty/legacy_tiocsti", "utf8")) !== "0\n";
const noFilter = without("loading the seccomp filter");

describe.skipIf(reason)(`what else runs on the host ${reason ?? ""}`, () => {
  const stand = escapeStand();

  test("processes can't be seen, signalled, or looked into", async () => {
    using box = stand.box();
    // As little as a process of root can have: a container's root may look into those.
    const argv = ["--bounding-set=-all", "--inh-caps=-all", "sleep", "1000"];
    const env = { ...process.env, TSIMG_SECRET: "the host's" };
    const victim = spawn("setpriv", argv, { env, stdio: "ignore" });
    try {
      await once(victim, "spawn");
      const at = `/proc/${victim.pid}`;
      const script =
        `until test "$(cat ${at}/comm 2>/dev/null || echo sleep)" = sleep; do :; done;` +
        ` cat ${at}/environ; ls ${at}/root/; ls ${at}/cwd/; kill -0 ${victim.pid} && echo killable`;
      const said = box.says(script);
      expect(said.match(/No such (file|process)/g)).toHaveLength(4);
      const weak = box.says(script, { change: sharing("CLONE_NEWPID") });
      expect(weak).toContain("TSIMG_SECRET=the host's");
      expect(weak).toMatch(/^killable$/m);
      expect(weak).toMatch(/^proc$/m);
    } finally {
      victim.kill("SIGKILL");
    }
  });

  test("the launcher can't be killed from within, nor everything at once", () => {
    using box = stand.box();
    const args = ["sh", "-c", "kill -KILL -1; kill -KILL $PPID; echo still here"];
    expect(box.attack({ args })).toMatchObject({ status: 0, stdout: "still here\n" });
    const named = ["sh", "-c", "kill -KILL $PPID; echo still here"];
    const weak = box.attack({ args: named, change: sharing("CLONE_NEWPID") });
    expect(weak).toMatchObject({ status: null, signal: "SIGKILL" });
  });

  test("abstract sockets of the host are out of reach", async () => {
    using box = stand.box();
    const name = `tsimg-test-${box.id}`;
    const server = createServer().listen(`\0${name}`);
    await once(server, "listening");
    try {
      const attack = { args: ["attack", "connect", name] };
      expect(box.attack(attack).stdout).toBe("connect: ECONNREFUSED\n");
      const change = sharing("CLONE_NEWNET");
      expect(box.attack({ ...attack, change }).stdout).toBe("connect: ok\n");
    } finally {
      server.close();
    }
  });

  test("shared memory and message queues of the host are out of reach", () => {
    using box = stand.box();
    const key = String(process.pid);
    const said = (change?: Change) => {
      const [launcher, tape] = box.prepare({ args: ["attack", "shared", key], change });
      const argv = ["share", key, launcher, tape];
      return spawnSync(stand.attack, argv, { encoding: "utf8" }).stdout;
    };
    expect(said()).toBe("shared memory: ENOENT\nmessage queue: ENOENT\n");
    expect(said(sharing("CLONE_NEWIPC"))).toBe("shared memory: ok\nmessage queue: ok\n");
  });

  describe("keys", () => {
    /** The container's words, started by a caller whose session keyring has a secret. */
    const said = (box: EscapeBox, attack: Omit<Attack, "args"> = {}) => {
      const argv = box.prepare({ args: ["attack", "find-key", "tsimg"], ...attack });
      const key = ["keep-key", "tsimg", "the caller's", ...argv];
      return spawnSync(stand.attack, key, { encoding: "utf8" }).stdout;
    };

    test("in the caller's keyring are out of reach", () => {
      using box = stand.box();
      expect(said(box)).toBe("search: EPERM\n");
      const change = all(noFilter, without("joining a session keyring of its own"));
      expect(said(box, { change })).toBe("the caller's\n");
    });

    test("in the caller's keyring are out of reach without a filter, too", () => {
      using box = stand.box();
      const flags = { securityOpt: ["seccomp=unconfined"] };
      expect(said(box, { flags })).toMatch(/^search: E/);
      const change = without("joining a session keyring of its own");
      expect(said(box, { flags, change })).toBe("the caller's\n");
    });
  });

  describe.skipIf(!hasPython)("the caller's terminal", () => {
    /**
     * What a shell reads from its terminal after a container of it has ended: nothing but
     * what was typed there by TIOCSTI.
     */
    const typed = (box: EscapeBox, attack: Attack) => {
      const [launcher, tape] = box.prepare(attack);
      const line = `${launcher} ${tape}; IFS= read -r -t 1 line; echo "typed: $line"`;
      const [python, ...words] = terminalWords();
      const argv = [...words, "/bin/bash", "-c", line];
      const { stdout } = spawnSync(python, argv, { encoding: "utf8" });
      return stdout;
    };
    const args = ["attack", "type", "evil"];

    test("can't be typed on without -t", () => {
      using box = stand.box();
      const seen = typed(box, { args });
      expect(seen).toContain("descriptor: ENOTTY");
      expect(seen).toContain("/dev/tty: ENXIO");
      expect(seen).toMatch(/^typed: $/m);
    });

    test("can't be typed on with -t: the terminal is the container's own", () => {
      using box = stand.box();
      const seen = typed(box, { args, flags: { tty: true, interactive: true } });
      expect(seen).toContain(`descriptor: ${kernelTypes ? "ok" : "EIO"}`);
      expect(seen).toMatch(/^typed: $/m);
    });

    test("is typed on when it is passed on, in the caller's session", (context) => {
      if (!kernelTypes) context.skip("dev.tty.legacy_tiocsti is 0: the kernel refuses everybody");
      using box = stand.box();
      const edits = [
        { file: "start.c", from: "if (!passed_on && !isatty(fd)) continue;", to: "continue;" },
      ];
      const launcher = stand.weakLauncher({ edits });
      const change = all(without("beginning a session"));
      const seen = typed(box, { args, launcher, change });
      expect(seen).toContain("descriptor: ok");
      expect(seen).toMatch(/^typed: evil$/m);
      // A session of its own is guard enough.
      expect(typed(box, { args, launcher })).toMatch(/^typed: $/m);
    });
  });
});
