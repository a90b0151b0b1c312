import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Stage } from "./run-stage.ts";
import { onTerminal, type Step, terminalReason as why } from "./support/on-terminal.ts";

describe.skipIf(why)(`tsimg run on a terminal ${why ?? ""}`, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const run = (args: readonly string[], steps: readonly Step[] = []) =>
    onTerminal(stage, ["run", "--rm", ...args], steps);
  const shell = (script: string) => [stage.tiny, "sh", "-c", script];

  test("-it gives the container a terminal of the caller's size that follows it", async () => {
    const script =
      "tty; stty size; trap 'stty size; exit 7' WINCH; echo ready; while :; do sleep 0.02; done";
    const screen = await run(
      ["-it", ...shell(script)],
      [
        ["wait", "ready\r\n"],
        ["resize", 30, 90],
      ],
    );
    expect(screen).toBe("/dev/pts/0\n40 100\nready\n30 90\n\nmode restored\nstatus 7\n");
  });

  test("what is typed arrives, Ctrl-C is the container's, and the status comes back", async () => {
    const script =
      "trap 'echo interrupted; exit 5' INT; echo ready; read line; echo got $line; while :; do sleep 0.02; done";
    const screen = await run(
      ["-ti", ...shell(script)],
      [
        ["wait", "ready\r\n"],
        ["type", "typed\n"],
        ["wait", "got typed\r\n"],
        ["type", "\x03"],
      ],
    );
    expect(screen).toMatch(/^ready\ntyped\ngot typed\n\^C\n?interrupted\n/);
    expect(screen).toMatch(/\nmode restored\nstatus 5\n$/);
  });

  test("a shell has job control, and Ctrl-D ends it", async () => {
    const screen = await run(
      ["-it", "-e", "PS1=> ", stage.tiny],
      [
        // The shell has written its prompt, and listens.
        ["wait", "> \x1b[6n"],
        ["type", "sh -c 'echo started; exec sleep 100'\n"],
        ["wait", "started\r\n"],
        ["type", "\x1a"],
        ["wait", "Stopped"],
        ["wait", "> \x1b[6n"],
        ["type", "kill -9 %1; sleep 0.1; echo $TERM\n"],
        ["wait", "xterm"],
        // An end typed before the shell listens is the terminal's, and lost as the shell begins to.
        ["wait", "> \x1b[6n"],
        ["type", "\x04"],
      ],
    );
    expect(screen).not.toContain("can't access tty");
    expect(screen).toMatch(/mode restored\nstatus 0\n$/);
  });

  test("a SIGTERM to tsimg is the container's, and the terminal's mode is restored", async () => {
    const script = "trap 'exit 8' TERM; echo ready; while :; do sleep 0.02; done";
    const steps = [
      ["wait", "ready\r\n"],
      ["signal", 15],
    ] as const;
    expect(await run(["-it", ...shell(script)], steps)).toMatch(/mode restored\nstatus 8\n$/);
    const failed = await run(["-it", stage.tiny, "no-such-program"]);
    expect(failed).toMatch(/"no-such-program".*not found.*\n\nmode restored\nstatus 127\n$/);
  });

  test("without -t a terminal's Ctrl-C is passed on as a signal", async () => {
    const script =
      "test -t 0 || test -t 1 || echo no terminal; trap 'echo interrupted; exit 6' INT; echo ready; while :; do sleep 0.02; done";
    const screen = await run(shell(script), [
      ["wait", "ready\r\n"],
      ["type", "\x03"],
    ]);
    expect(screen).toMatch(/^no terminal\nready\n\^C\n?interrupted\n\nmode restored\nstatus 6\n$/);
  });

  test("-t without a terminal on standard input prints, -it refuses", async () => {
    const printed = await stage.tsimg(["run", "--rm", "-t", ...shell("tty; test -t 2 && echo 2")]);
    expect(printed).toEqual({ status: 0, stdout: "/dev/pts/0\r\n2\r\n", stderr: "" });
    const refused = await stage.tsimg(["run", "--rm", "-it", ...shell("echo ran")]);
    expect(refused).toMatchObject({ status: 125, stdout: "" });
    expect(refused.stderr).toContain("the input device is not a TTY");
  });
});
