import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

const hasTmux = spawnSync("tmux", ["-V"]).status === 0;

const SOURCE = new URL("../../src/cli/output/progress.ts", import.meta.url);

/** Twelve layers, four of them moving all the time, until it is interrupted. */
const SCRIPT = `
import { writeFileSync } from "node:fs";
import { createPullProgress } from ${JSON.stringify(SOURCE.href)};
writeFileSync(process.argv[1] + ".pid", String(process.pid));
const digests = Array.from({ length: 12 }, (_, at) => "sha256:" + at.toString(16).padStart(12, "0").padEnd(64, "f"));
const progress = createPullProgress(process.stdout);
progress.line("latest: Pulling from team/app");
progress.layers(digests.map((digest) => ({ digest, size: 45_600_000 })));
const phases = ["done", "exists", "unpacking", "downloading", "downloading", "downloading"];
let step = 0;
setInterval(() => {
  step += 1;
  for (const [at, phase] of phases.entries()) {
    const event = { digest: digests[at], phase, current: (step * 100_000 * at) % 45_600_000, total: 45_600_000 };
    progress.event(event);
  }
}, 5);
`;

const LAYER =
  /^0{10}([0-9a-f]{2}): (Pull complete|Already exists|Waiting|(Unpacking {2}|Downloading) .*)$/;

describe.skipIf(!hasTmux)("the display of a pull in a real terminal (needs tmux)", () => {
  const directory = mkdtempSync(join(tmpdir(), "tsimg-progress-"));
  let socket = "";
  const script = join(directory, "pull.ts");

  const tmux = (...args: readonly string[]): string =>
    execFileSync("tmux", ["-S", socket, ...args], { encoding: "utf8", stdio: "pipe" });
  const screen = (): string[] => tmux("capture-pane", "-p").trimEnd().split("\n");
  const cursorShown = (): boolean => tmux("display", "-p", "#{cursor_flag}").trim() === "1";

  /** Waits until `accepts` holds; fails with what was last on the screen. */
  async function until(accepts: () => boolean): Promise<void> {
    const end = Date.now() + 30_000;
    while (!accepts()) {
      if (Date.now() > end) throw new Error(`it never came; the screen is\n${screen().join("\n")}`);
      await sleep(20);
    }
  }

  /** The screen is right, and stays right while it is being rewritten. */
  async function expectScreen(right: (lines: readonly string[]) => boolean): Promise<void> {
    await until(() => right(screen()));
    for (let look = 0; look < 20; look++) {
      const lines = screen();
      expect(right(lines), lines.join("\n")).toBe(true);
    }
  }

  beforeAll(() => writeFileSync(script, SCRIPT));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  afterEach(() => spawnSync("tmux", ["-S", socket, "kill-server"]));

  function start(name: string): void {
    // One of its own, since a server that ends takes its time.
    socket = join(directory, name);
    // The shell outlives the interrupt, so that there is a screen to look at.
    const command = `trap : INT; printf '$ tsimg pull\\n'; '${process.execPath}' '${script}'; echo over; exec sleep 1000`;
    const size = ["-x", "80", "-y", "24"];
    tmux("-f", "/dev/null", "new-session", "-d", ...size, "bash", "-c", command);
  }

  /** Each of twelve layers once, in order. */
  const allLayers = (lines: readonly string[]): boolean =>
    lines.slice(-12).every((line, at) => Number.parseInt(LAYER.exec(line)?.[1] ?? "", 16) === at);

  /** The layers below what was printed, of which `gone` rows may have left at the top. */
  const all =
    (gone = 0) =>
    (lines: readonly string[]): boolean =>
      allLayers(lines) &&
      lines.length >= 14 - gone &&
      ["$ tsimg pull", "latest: Pulling from team/app"].join().endsWith(lines.slice(0, -12).join());

  /** As many layers as there is room for, and the others' number. */
  const fitting = (rows: number) => (lines: readonly string[]) =>
    lines.length === rows - 1 &&
    lines.slice(0, -1).every((line) => LAYER.test(line)) &&
    new Set(lines.map((line) => line.slice(0, 12))).size === lines.length &&
    /^\.\.\. \d+ more: /.test(lines.at(-1) ?? "");

  test("is right at 80x24 and after every change of the window's size", async () => {
    start("resized");
    await expectScreen(all());
    expect(cursorShown()).toBe(false);
    expect(screen().every((line) => line.length <= 79)).toBe(true);
    const moving = /Downloading \[=*> *\] +\S+B\/45\.6MB +\S+B\/s$/;
    await until(() => moving.test(screen()[5] ?? ""));

    tmux("resize-window", "-x", "80", "-y", "8");
    await expectScreen(fitting(8));
    tmux("resize-window", "-x", "80", "-y", "24");
    await expectScreen(all());
    // Rows that lines are broken into push the top ones out, even where rows below are free.
    tmux("resize-window", "-x", "50", "-y", "24");
    await expectScreen((lines) => all(2)(lines) && lines.every((line) => line.length <= 49));
    tmux("resize-window", "-x", "100", "-y", "24");
    await expectScreen(all(2));
  });

  test("an interrupt leaves the last state, and the cursor visible below it", async () => {
    start("interrupted");
    await expectScreen(all());
    tmux("send-keys", "C-c");
    await until(() => screen().at(-1) === "over");
    expect(all()(screen().slice(0, -1))).toBe(true);
    expect(cursorShown()).toBe(true);
  });

  test("stopped by Ctrl-Z and continued, it starts anew below what the shell wrote", async () => {
    start("stopped");
    await expectScreen(all());
    const pid = readFileSync(`${script}.pid`, "utf8");
    tmux("resize-window", "-x", "80", "-y", "60");
    tmux("send-keys", "C-z");
    await until(cursorShown);
    tmux("run-shell", `echo "written meanwhile" > '#{pane_tty}'; kill -CONT ${pid}`);
    await expectScreen((lines) => allLayers(lines) && lines.at(-13) === "written meanwhile");
    expect(all()(screen().slice(0, -13))).toBe(true);
    expect(cursorShown()).toBe(false);
  });
});
