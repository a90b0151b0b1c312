import { join } from "node:path";
import { expect, it } from "vitest";
import { outcomeOf } from "../../fixtures/command.ts";
import { missing } from "../peers/requirements.ts";
import { temporaryDirectory } from "./support/temporary.ts";

const absent = missing(["unshare", "mount"]);
const MODULE = join(import.meta.dirname, "../../src/sys/no-space.ts");

/** Fills the current directory until that fails, in ever smaller pieces, and says why. */
const FILL = `
  const { noSpaceError } = await import(${JSON.stringify(MODULE)});
  const { writeFileSync } = await import("node:fs");
  const [size] = process.argv.slice(1).map(Number);
  try {
    for (let at = 0; ; at++) writeFileSync(String(at), Buffer.alloc(size));
  } catch (error) {
    console.log(noSpaceError(error, process.cwd()).message);
  }`;

it.skipIf(absent !== undefined)(
  `a file system without space and one without inodes are told apart ${absent ?? ""}`,
  async () => {
    using directory = temporaryDirectory();
    const fill = async (options: string, size: number) => {
      const script = `mount -t tmpfs -o ${options} tmpfs ${directory.path} && cd ${directory.path} && shift && exec "$@"`;
      const node = [process.execPath, "--input-type=module", "-e", FILL, String(size)];
      const outcome = await outcomeOf(["unshare", "-m", "sh", "-c", script, "sh", "", ...node]);
      return outcome.stdout.toString() + outcome.stderr;
    };
    expect(await fill("size=64m,nr_inodes=40", 10)).toBe(
      `no free inodes on '${directory.path}': 0 of 40\n`,
    );
    expect(await fill("size=32m,nr_inodes=4000", 1 << 20)).toBe(
      `no space left on '${directory.path}': 0 B of 33.6 MB free\n`,
    );
  },
);
