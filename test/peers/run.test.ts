import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outcomeOf, outputOf } from "../../fixtures/command.ts";
import { awkwardImage } from "../../fixtures/images/awkward-image.ts";
import { bigImage } from "../../fixtures/images/big-image.ts";
import { startRegistry } from "../../fixtures/registry/registry.ts";
import { removeGroups } from "./cgroup.ts";
import { isolated } from "./isolated.ts";
import { missing } from "./requirements.ts";
import { DEBIAN_PROBES, type Probe, SPECIAL_FILE_PROBES } from "./run-probes.ts";
import { startDocker } from "./tools/docker.ts";
import type { Tool } from "./tools/tool.ts";
import { openTsimg } from "./tools/tsimg.ts";

const PROGRAMS = ["docker", "dockerd", "docker-registry", "skopeo", "apt-get", "unshare"];
const reason = missing(PROGRAMS);

describe.skipIf(reason)(`a container against docker's ${reason ?? ""}`, () => {
  const resources = new AsyncDisposableStack();
  const group = `tsimg-test-${process.pid}`;
  let docker: Tool;
  let tsimg: Tool;
  let debian: string;
  let special: string;

  beforeAll(async () => {
    const dir = await mkdtemp(join(tmpdir(), "tsimg-run-"));
    // A killed daemon's mounts go a moment after it.
    const retries = { maxRetries: 10, retryDelay: 100 };
    resources.defer(() => rm(dir, { recursive: true, force: true, ...retries }));
    resources.defer(() => removeGroups(group));
    const [store, state] = [join(dir, "docker"), join(dir, "state")];
    await mkdir(state);
    const cgroupParent = `/${group}/docker`;
    const launch = isolated([]);
    docker = resources.use(await startDocker({ store, state, cgroupParent, launch }));
    tsimg = resources.use(await openTsimg({ store: join(dir, "tsimg") }));

    const registry = resources.use(await startRegistry({ dir: join(dir, "registry") }));
    debian = await registry.push(await bigImage(), "debian");
    special = await registry.push(await awkwardImage({ layers: 1 }), "special");
    for (const tool of [docker, tsimg]) {
      for (const reference of [debian, special]) await outputOf(tool.pull(reference).argv);
    }
  });
  afterAll(() => resources.disposeAsync());

  async function shown(tool: Tool, reference: string, probe: Probe) {
    const { status, stdout, stderr } = await outcomeOf(tool.run(reference, probe.command).argv);
    if (probe.statusOnly) return { status };
    const text = stdout.toString("latin1");
    return { status, stdout: probe.comparable?.(text) ?? text, stderr };
  }

  test.each(DEBIAN_PROBES)("shows the same: $name", async (probe) => {
    const expected = await shown(docker, debian, probe);
    expect(await shown(tsimg, debian, probe)).toEqual(expected);
  });

  test.each(SPECIAL_FILE_PROBES)("has special files right: $name", async (probe) => {
    const expected = await shown(docker, special, probe);
    expect(await shown(tsimg, special, probe)).toEqual(expected);
  });
});
