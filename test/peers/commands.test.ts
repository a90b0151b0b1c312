import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outcomeOf, outputOf } from "../../fixtures/command.ts";
import { tinyImage } from "../../fixtures/images/tiny-image.ts";
import { startRegistry } from "../../fixtures/registry/registry.ts";
import { removeGroups } from "./cgroup.ts";
import { type Line, SCENARIOS } from "./commands/lines.ts";
import { isolated } from "./isolated.ts";
import { missing } from "./requirements.ts";
import { startDocker } from "./tools/docker.ts";
import type { Tool } from "./tools/tool.ts";
import { openTsimg } from "./tools/tsimg.ts";

const PROGRAMS = ["docker", "dockerd", "docker-registry", "skopeo", "apt-get", "unshare"];
const reason = missing(PROGRAMS);

describe.skipIf(reason)(`commands against docker's ${reason ?? ""}`, () => {
  const resources = new AsyncDisposableStack();
  const group = `tsimg-commands-${process.pid}`;
  let dir: string;
  let image: string;
  let docker: Tool;
  let tsimg: Tool;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "tsimg-commands-"));
    // A killed daemon's mounts go a moment after it.
    const retries = { maxRetries: 10, retryDelay: 100 };
    resources.defer(() => rm(dir, { recursive: true, force: true, ...retries }));
    resources.defer(() => removeGroups(group));
    const [store, state] = [join(dir, "docker"), join(dir, "state")];
    await mkdir(state);
    const cgroupParent = `/${group}/docker`;
    docker = resources.use(await startDocker({ store, state, cgroupParent, launch: isolated([]) }));
    tsimg = resources.use(await openTsimg({ store: join(dir, "tsimg") }));
    const registry = resources.use(await startRegistry({ dir: join(dir, "registry") }));
    image = await registry.push(await tinyImage(), "tiny");
    for (const tool of [docker, tsimg]) await outputOf(tool.pull(image).argv);
  });
  afterAll(() => resources.disposeAsync());

  /** The tool's own words, before those of a command. */
  function programOf(tool: Tool): string {
    const { argv } = tool.run(image, []);
    return argv.slice(0, argv.indexOf("run")).join(" ");
  }

  async function outcomes(tool: Tool, lines: readonly string[]): Promise<readonly string[]> {
    const own = join(dir, `files-${tool.name}`);
    await mkdir(own);
    const env = { ...process.env, IMAGE: image, DIR: own, TSIMG_NETWORK: "none" };
    const shown: string[] = [];
    for (const line of lines) {
      const argv = ["timeout", "60", "sh", "-c", `${programOf(tool)} ${line}`];
      const { status, stdout } = await outcomeOf(argv, { env });
      shown.push(`${line} [${status}]\n${comparable(stdout.toString())}`);
    }
    const all = `${programOf(tool)} ps -aq | xargs -r ${programOf(tool)} rm -fv`;
    await outputOf(["sh", "-c", all]);
    await rm(own, { recursive: true });
    return shown;
  }

  test.each(Object.entries(SCENARIOS))("do the same: %s", async (_, lines) => {
    const texts = lines.map((line) => textOf(line));
    const [expected, seen] = [await outcomes(docker, texts), await outcomes(tsimg, texts)];
    const isSame = (at: number) => seen[at] === expected[at];
    const same = lines.flatMap((line, at) => (typeof line === "string" ? [at] : []));
    expect(same.map((at) => seen[at])).toEqual(same.map((at) => expected[at]));
    // What is listed as a difference and is none any more is to be taken off the list.
    const settled = lines.filter((line, at) => typeof line !== "string" && isSame(at));
    expect(settled).toEqual([]);
  });
});

function textOf(line: Line): string {
  return typeof line === "string" ? line : line.line;
}

/** Without what is different each time: IDs, and how wide a table's columns are. */
function comparable(text: string): string {
  return text
    .replace(/\b[0-9a-f]{64}\b/g, "ID")
    .replace(/^OCI runtime exec failed.*\r?\n/gm, "")
    .replace(/[ \t]+/g, " ")
    .replace(/ $/gm, "")
    .trimEnd();
}
