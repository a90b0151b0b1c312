import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { type CommandOutcome, outcomeOf } from "../../fixtures/command.ts";

const PROGRAM = join(import.meta.dirname, "../../bin/tsimg");
const isRoot = process.getuid?.() === 0;
const root = mkdtempSync(join(tmpdir(), "tsimg-demo-test-"));
/** Where the demos of these tests play. */
const scratch = join(root, "tmp");
const env = { ...process.env, TMPDIR: scratch, TSIMG_RUNROOT: join(root, "not-for-the-demo") };
afterAll(() => rmSync(root, { recursive: true, force: true }));

beforeEach(() => mkdirSync(scratch, { recursive: true, mode: 0o1777 }));
afterEach(() => {
  expect(readdirSync(scratch), "what is left").toEqual([]);
  expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(scratch);
  expect(processesOf(scratch), "processes that still run").toEqual([]);
});

test.skipIf(!isRoot)("it tells the whole story, and nothing is left", async () => {
  const { status, stdout, stderr } = await outcomeOf([PROGRAM, "demo"], { env });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const text = stdout.toString();
  expectStory(text);
  expect(text).not.toContain("\x1b");
  const own = text.split("\n").filter((line) => !line.includes(scratch));
  expect(own.filter((line) => line.length > 80)).toEqual([]);
});

test.skipIf(!isRoot)(
  "headings are bold on a terminal, unless NO_COLOR is set",
  async ({ skip }) => {
    skip(spawnSync("script", ["--version"]).error !== undefined, "script is not installed");
    const onTerminal = [
      "script",
      "--quiet",
      "--return",
      "--command",
      `${PROGRAM} demo`,
      "/dev/null",
    ];
    const plain = await outcomeOf(onTerminal, { env: { ...env, TERM: "xterm", NO_COLOR: "1" } });
    expect(plain.status).toBe(0);
    expect(plain.stdout.toString()).not.toContain("\x1b[1m");
    const bold = await outcomeOf(onTerminal, { env: { ...env, TERM: "xterm", NO_COLOR: "" } });
    expect(bold.stdout.toString()).toContain("\x1b[1m1. ");
  },
);

test.skipIf(!isRoot)("a machine without busybox has other programs", async () => {
  const hidden = spawnSync("sh", ["-c", "command -v busybox"], { encoding: "utf8" }).stdout.trim();
  const hide = hidden === "" ? "" : `mount --bind /dev/null "$(readlink -f ${hidden})" &&`;
  const { status, stdout, stderr } = await privately(`${hide} exec "$0" demo`);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout.toString()).toMatch(/^1 .* sh, cat, ls/m);
  expectStory(stdout.toString());
});

test.skipIf(!isRoot)("where the temporary directory is an overlay it plays elsewhere", async () => {
  const lower = join(root, "lower");
  for (const part of ["lower", "upper", "work"]) mkdirSync(join(root, part));
  const options = `lowerdir=${lower},upperdir=${root}/upper,workdir=${root}/work`;
  const { status, stdout } = await privately(
    `mount -t overlay overlay -o ${options} ${scratch} && exec "$0" demo`,
  );
  expect(status).toBe(0);
  const place = /^(\/\S+) is removed/m.exec(stdout.toString())?.[1] ?? scratch;
  expect(place.startsWith(scratch)).toBe(false);
});

test.skipIf(!isRoot).each([
  ["An image of three layers", 1],
  ["Pull complete", 1],
  ["What it became", 1],
  ["process 1 on host", 1],
  ["Every system call", 2],
])("interrupted at %j it cleans up", async (moment, interrupts) => {
  const demo = spawn(PROGRAM, ["demo"], { env, stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(demo, "exit") as Promise<[number | null]>;
  let text = "";
  for await (const chunk of demo.stdout) {
    const before = text.includes(moment);
    text += chunk;
    // npx passes every Ctrl-C on a second time.
    if (!before && text.includes(moment))
      for (let count = 0; count < interrupts; count++) demo.kill("SIGINT");
  }
  expect((await ended)[0]).toBe(130);
});

test.skipIf(!isRoot)("without a reader it cleans up", async () => {
  const { stdout } = await outcomeOf(["sh", "-c", '"$0" demo | head -n 1', PROGRAM], { env });
  expect(stdout.toString()).toMatch(/^The whole story/);
});

test.skipIf(!isRoot)("without root it says so", async () => {
  const drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const { status, stderr } = await outcomeOf([...drop, PROGRAM, "demo"], { env });
  expect(status).toBe(125);
  expect(stderr).toMatch(/^tsimg: the demo needs root: it mounts file systems\nhint: /);
});

/** What only a story that really happened prints. */
function expectStory(text: string): void {
  for (const each of [
    /^\$ tsimg --root \S+\/store( \\\n {3})? pull( \\\n {3})? 127\.0\.0\.1:\d+\/demo$/m,
    /^ +lower +l\/[A-Z2-7]{9}…:l\/[A-Z2-7]{9}…$/m,
    /^ +c[rwx-]{9} +0, 0 +srv\/notes\/draft$/m,
    /^process 1 on host [0-9a-f]{12}$/m,
    /^notes: plan$/m,
    /^hello from the third layer$/m,
    /^ +c[rwx-]{9} +0, 0 +etc\/motd$/m,
    /^ +-rw-r--r-- +12 +srv\/notes\/done$/m,
    /^pivot_root\(/m,
    /^Untagged: /m,
    /is removed: nothing is left\.$/m,
  ])
    expect(text).toMatch(each);
  expect(text).toMatch(/^memory limit: 67108864$|has no memory controller/m);
}

/** Runs a script in a mount namespace of its own, with tsimg as `$0`. */
function privately(script: string): Promise<CommandOutcome> {
  return outcomeOf(["unshare", "--mount", "sh", "-c", script, PROGRAM], { env });
}

/** Command lines of processes that name `text`. */
function processesOf(text: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      } catch {
        return [];
      }
    })
    .filter((line) => line.includes(text));
}
