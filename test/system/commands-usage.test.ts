import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { outcomeOf } from "../../fixtures/command.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { TSIMG } from "./run-stage.ts";

const root = mkdtempSync(join(tmpdir(), "tsimg-usage-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function tsimg(args: readonly string[], prefix: readonly string[] = []) {
  const env = { ...process.env, TSIMG_ROOT: join(root, "store") };
  const { stdout, ...rest } = await outcomeOf([...prefix, TSIMG, ...args], { env });
  return { ...rest, stdout: stdout.toString() };
}

describe("the command line", () => {
  test.each(Object.keys(COMMANDS))("%s --help tells its use with examples", async (name) => {
    const { status, stdout, stderr } = await tsimg([name, "--help"]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^Usage: tsimg ${name}`));
    expect(stdout).toMatch(/\nExamples:\n {2}\$ tsimg /);
    expect(stdout.split("\n").every((line) => line.length <= 100)).toBe(true);
  });

  test("--help lists every command", async () => {
    const { status, stdout } = await tsimg(["--help"]);
    expect(status).toBe(0);
    for (const name of Object.keys(COMMANDS))
      expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
  });

  type Mistake = readonly [args: readonly string[], words: RegExp];

  /** Docker's status for an option, and for all else. */
  const MISTAKES: Readonly<Record<1 | 125, Readonly<Record<string, Mistake>>>> = {
    125: {
      "an unknown option": [["ps", "--no-such"], /unknown option '--no-such'/],
      "an unknown option of run": [["run", "--nmae", "x", "y"], /'--nmae'\n.*--name/],
      "an unknown option of tsimg": [["--no-such", "ps"], /unknown option '--no-such'/],
      "a missing value": [["run", "--name"], /'--name <name>' argument missing/],
      "a bad choice": [["run", "--pull", "later", "x"], /always, missing, never/],
      "a bad number": [["pull", "--max-concurrent-downloads", "0", "x"], /a number from 1 to 100/],
    },
    1: {
      "an unknown command": [["rum"], /unknown command 'rum'/],
      "a missing image": [["run"], /missing required argument 'image'/],
      "a missing container": [["rm"], /missing required argument 'container'/],
      "an argument too many": [["ps", "more"], /too many arguments/],
      "a bad reference": [["pull", "UPPER"], /UPPER/],
      "a bad filter": [["ps", "--filter", "color=red"], /invalid filter "color=red"/],
      "a container that isn't there": [["logs", "gone"], /no such container: 'gone'/],
    },
  };

  describe.each(Object.entries(MISTAKES))("with status %s is refused", (code, mistakes) => {
    test.each(Object.entries(mistakes))("%s", async (_, [args, words]) => {
      const { status, stdout, stderr } = await tsimg(args);
      expect({ status, stdout }).toEqual({ status: Number(code), stdout: "" });
      expect(stderr).toMatch(/^tsimg: /);
      expect(stderr).toMatch(words);
    });
  });

  test.skipIf(process.getuid?.() !== 0)("who has no place for a store is told so", async () => {
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    for (const args of [["run", "x"], ["pull", "x"], ["ps"]]) {
      const { status, stderr } = await tsimg(args, nobody);
      expect(status).toBe(args[0] === "run" ? 125 : 1);
      expect(stderr).toMatch(/^tsimg: can't write .*\nhint: .*TSIMG_ROOT/);
    }
  });
});
