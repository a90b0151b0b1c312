import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { outcomeOf } from "../../fixtures/command.ts";
import { missing } from "../peers/requirements.ts";
import { type TemporaryDirectory, temporaryDirectory } from "./support/temporary.ts";
import { Tsimg } from "./support/tsimg.ts";

const absent = missing(["unshare", "mount"]);

describe.skipIf(absent !== undefined)(`the driver that is used ${absent ?? ""}`, () => {
  let directory: TemporaryDirectory;
  let tsimg: Tsimg;
  beforeEach(() => {
    directory = temporaryDirectory();
    tsimg = new Tsimg(join(directory.path, "store"));
  });
  afterEach(() => directory[Symbol.dispose]());

  const chosen = (environment: NodeJS.ProcessEnv = {}) =>
    outcomeOf(tsimg.argv(["info", "--format", "{{.Driver}}"]), {
      env: { ...process.env, ...environment },
    }).then(({ stdout, stderr }) => `${stdout}${stderr}`);

  /** Writes the configuration of a home directory, and answers with the environment for it. */
  function configured(text: string): NodeJS.ProcessEnv {
    mkdirSync(join(directory.path, "home/tsimg"), { recursive: true });
    writeFileSync(join(directory.path, "home/tsimg/config.toml"), text);
    return { XDG_CONFIG_HOME: join(directory.path, "home") };
  }

  it("is what the variable says, else what the configuration says, else what works", async () => {
    expect(await chosen()).toBe("overlay2\n");
    const environment = configured('driver = "erofs"\n');
    expect(await chosen(environment)).toBe("erofs\n");
    expect(await chosen({ ...environment, TSIMG_DRIVER: "vfs" })).toBe("vfs\n");
  });

  it("a mistake in the configuration is told with file and key", async () => {
    const text = await chosen(configured("[drivers.zfs]\ndatset = 'tank'\n"));
    const file = join(directory.path, "home/tsimg/config.toml");
    expect(text).toContain(`config file '${file}' has an unknown key 'drivers.zfs.datset'`);
  });

  it("a full copy is never chosen in silence", async () => {
    const [lower, upper, work, merged] = ["lower", "upper", "work", "merged"].map((name) => {
      mkdirSync(join(directory.path, name));
      return join(directory.path, name);
    });
    const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    // On an overlay no overlay can be written to.
    const script = `mount -t overlay overlay -o ${options} ${merged} && shift && "$@" && "$@"`;
    const info = new Tsimg(join(merged ?? "", "store")).argv(["info", "--format", "{{.Driver}}"]);
    const { stdout } = await outcomeOf(["unshare", "-m", "sh", "-c", script, "sh", "", ...info]);
    const line = /^none: overlay2 can't work on '.*\/merged\/store' \(overlay\): .+\n$/;
    const lines = stdout.toString().split("\n");
    expect(`${lines[0]}\n`).toMatch(line);
    expect(lines[1]).toBe(lines[0]);
    expect(readFileSync(join(upper ?? "", "store/cache/overlay-probe"), "utf8")).toMatch(/^\d+\./);
  });

  const untraced = missing(["strace"]);
  it.skipIf(untraced)(
    `costs two looks for files without configuration ${untraced ?? ""}`,
    async () => {
      await chosen();
      const trace = join(directory.path, "trace");
      const strace = ["strace", "-f", "-o", trace, "-e", "trace=execve,mount,open,openat,statx"];
      await outcomeOf([...strace, ...tsimg.argv(["info"])]);
      const lines = readFileSync(trace, "utf8").split("\n");
      expect(lines.filter((line) => line.includes("config.toml"))).toHaveLength(2);
      expect(lines.filter((line) => /\bmount\(/.test(line))).toEqual([]);
      // The shell that is bin/tsimg, and Node.
      expect(lines.filter((line) => line.includes("execve(")).length).toBeLessThanOrEqual(4);
    },
  );
});
