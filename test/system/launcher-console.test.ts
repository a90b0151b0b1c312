import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Box, buildLauncher, canLaunch, processesBelow, until } from "./launcher-box.ts";
import { patience } from "./support/slowness.ts";

const hasPython = spawnSync("python3", ["-c", "import pty, termios"]).status === 0;

/**
 * Runs its arguments on a pty of 40 rows and 100 columns, resizes it when "ready" appears,
 * types a line and Ctrl-C, prints all output, and whether the terminal's mode was restored.
 */
const DRIVER = `
import fcntl, os, pty, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    os.kill(os.getpid(), 19)
    os.execv(sys.argv[1], sys.argv[1:])
os.waitpid(pid, os.WUNTRACED)
before = termios.tcgetattr(fd)
os.kill(pid, 18)
seen, acted = b"", False
while True:
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    if not data:
        break
    seen += data
    if not acted and b"ready" in seen:
        acted = True
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 90, 0, 0))
        os.write(fd, b"typed\\n")
    if acted and b"waiting" in seen:
        acted = False
        seen = seen.replace(b"ready", b"READY")
        os.write(fd, b"\\x03")
    if b"leaving" in seen and termios.tcgetattr(fd) == before:
        print("restored")
_, status = os.waitpid(pid, 0)
print(seen.decode().replace("\\r", ""))
print("status", os.waitstatus_to_exitcode(status))
`;

describe.skipIf(!canLaunch)("the launcher's streams", () => {
  let built: ReturnType<typeof buildLauncher>;
  beforeAll(() => {
    built = buildLauncher();
  });
  afterAll(() => built[Symbol.dispose]());
  const box = () => new Box(built.directory);

  test("standard input is empty unless it is asked for", () => {
    using it = box();
    expect(it.run({ args: ["cat"] }, "input").stdout).toBe("");
    const io = { kind: "foreground", tty: false, interactive: true } as const;
    expect(it.run({ args: ["cat"], request: { io } }, "input").stdout).toBe("input");
  });

  test.skipIf(!hasPython)("a terminal has the caller's size, follows it, and passes Ctrl-C", () => {
    using it = box();
    const script =
      "stty size; tty; test -c /dev/console && echo console; echo ready; read line; stty size; " +
      "echo got $line; trap 'echo interrupted; echo leaving; exit 5' INT; echo waiting; " +
      "while :; do sleep 0.1; done";
    it.write({
      args: ["sh", "-c", script],
      request: { io: { kind: "foreground", tty: true, interactive: true } },
    });
    const ran = spawnSync("python3", ["-c", DRIVER, it.launcher, it.tape], {
      encoding: "utf8",
      timeout: patience(30_000),
    });
    expect(ran.stderr).toBe("");
    expect(ran.stdout).toMatch(/^40 100\n\/dev\/pts\/0\nconsole\nREADY/m);
    expect(ran.stdout).toMatch(/30 90\ngot typed\nwaiting/);
    expect(ran.stdout).toMatch(/interrupted\nleaving\n/);
    expect(ran.stdout).toMatch(/status 5\n$/);
  });

  test.skipIf(!hasPython)(
    "without -t the container does not get hold of the caller's terminal",
    () => {
      using it = box();
      it.write({
        args: ["sh", "-c", "test -t 0 || test -t 1 || test -t 2 || echo none; seq 3"],
        request: { io: { kind: "foreground", tty: false, interactive: true } },
      });
      const ran = spawnSync("script", ["-qec", `${it.launcher} ${it.tape}`, "/dev/null"], {
        encoding: "utf8",
        timeout: patience(30_000),
      });
      expect([ran.stdout, ran.status]).toEqual(["none\r\n1\r\n2\r\n3\r\n", 0]);
    },
  );

  const detached = (it: Box, tty = false) => ({
    io: {
      kind: "detached" as const,
      tty,
      interactive: false,
      logFile: it.path("log"),
      printId: it.id,
    },
  });

  test("a detached container prints its id, logs both streams, and records its end", async () => {
    using it = box();
    const script = "echo one; echo two >&2; head -c 40000 /dev/zero | busybox tr '\\0' x; exit 4";
    const ran = it.sh(script, { request: detached(it) });
    expect(ran).toMatchObject({ status: 0, stdout: `${it.id}\n`, stderr: "" });
    await until(() => existsSync(`${it.state}/exit.json`));
    const lines = readFileSync(it.path("log"), "utf8").trimEnd().split("\n");
    const entries = lines.map((line) => /^(\S+Z) (stdout|stderr) ([FP]) (.*)$/.exec(line));
    expect(
      entries.every((entry) => entry !== null && !Number.isNaN(Date.parse(entry[1] ?? ""))),
    ).toBe(true);
    const text = (stream: string) =>
      entries
        .filter((entry) => entry?.[2] === stream)
        .map((entry) => `${entry?.[4]}${entry?.[3] === "F" ? "\n" : ""}`)
        .join("");
    expect(text("stdout")).toBe(`one\n${"x".repeat(40_000)}`);
    expect(text("stderr")).toBe("two\n");
    expect(it.record("exit")).toMatchObject({ exitCode: 4, signal: 0 });
    expect(it.cgroup().removals.filter((path) => existsSync(path))).toEqual([]);
  });

  test("a detached container with a terminal logs it as output", async () => {
    using it = box();
    it.sh("test -t 1 && echo terminal", { request: detached(it, true) });
    await until(() => existsSync(`${it.state}/exit.json`));
    expect(readFileSync(it.path("log"), "utf8")).toMatch(/ stdout F terminal\r\n$/);
  });

  test("a detached start that fails says so in the foreground", async () => {
    using it = box();
    const ran = it.run({ args: ["nope"], request: detached(it) });
    expect([ran.status, ran.stdout]).toEqual([127, ""]);
    expect(ran.stderr).toContain("executable file not found");
    await until(() => processesBelow(it.directory).length === 0);
  });

  test("a waiting launcher holds no more than 0.3 MB", async () => {
    using it = box();
    it.run({ args: ["sleep", "100"], request: detached(it) });
    const { launcher, pid } = it.record("started") as { launcher: number; pid: number };
    const pss = () => {
      const rollup = readFileSync(`/proc/${launcher}/smaps_rollup`, "utf8");
      return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1]);
    };
    // It lets go of memory right after it has told the foreground.
    await until(() => pss() < 300);
    process.kill(pid, "SIGKILL");
    await until(() => existsSync(`${it.state}/exit.json`));
    expect(it.record("exit")).toMatchObject({ exitCode: 137, signal: 9 });
  });

  test("a container whose reader is gone gets SIGPIPE, as in a pipeline", async () => {
    using it = box();
    const child = it.spawn({
      args: ["sh", "-c", "while echo y; do :; done; echo end >&2; exit 6"],
    });
    await until(() => existsSync(`${it.state}/started.json`));
    child.stdout.destroy();
    const [status] = await once(child, "close");
    expect([6, 141]).toContain(status);
  });
});
