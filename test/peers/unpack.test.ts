import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outputOf } from "../../fixtures/command.ts";
import { awkwardImage } from "../../fixtures/images/awkward-image.ts";
import { bigImage } from "../../fixtures/images/big-image.ts";
import { type Registry, startRegistry } from "../../fixtures/registry/registry.ts";
import { missing } from "./requirements.ts";
import { openTsimg, type Tsimg } from "./tools/tsimg.ts";
import { overlayDifferences } from "./tree-compare/overlay-view.ts";

const PROGRAMS = ["umoci", "docker-registry", "skopeo", "getfattr", "apt-get", "unshare"];
const reason = missing(PROGRAMS);

/**
 * Where umoci does something else on purpose; starts of the comparison's lines.
 *
 * It gives directories that no layer lists, and those in which it removed something, the time
 * of the unpacking; a root that no layer lists gets 1970.
 */
const UMOCI_DIFFERS = {
  big: [".: mtime "],
  awkward: ["opt: mtime ", "opt/new: mtime ", "opt/new/implied: mtime ", "srv/remade: mtime "],
};

describe.skipIf(reason)(`a pulled image against umoci's unpacking ${reason ?? ""}`, () => {
  let dir: string;
  let registry: Registry;
  let tsimg: Tsimg;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "tsimg-unpack-"));
    registry = await startRegistry({ dir: join(dir, "registry") });
    tsimg = await openTsimg({ store: join(dir, "store") });
  });
  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  });

  async function unpackWithUmoci(layout: string, name: string): Promise<string> {
    const bundle = join(dir, name);
    await outputOf(["umoci", "unpack", "--image", `${layout}:latest`, bundle]);
    return join(bundle, "rootfs");
  }

  /** How what tsimg pulls differs from `expected`, apart from what `explained` starts. */
  async function differences(
    layout: string,
    name: string,
    expected: string,
    explained: readonly string[],
  ): Promise<readonly string[]> {
    const mountPoint = join(dir, `${name}-merged`);
    await mkdir(mountPoint);
    const reference = await registry.push(layout, name);
    await outputOf(tsimg.pull(reference).argv);
    const dirs = await tsimg.overlayDirs(reference);
    const lines = await overlayDifferences(expected, dirs, mountPoint);
    return lines.filter((line) => !explained.some((start) => line.startsWith(start)));
  }

  test("25,000 files of three Debian layers are the same, gzip or zstd", async () => {
    const expected = await unpackWithUmoci(await bigImage(), "big-bundle");
    const gzip = await differences(await bigImage(), "big", expected, UMOCI_DIFFERS.big);
    expect(gzip).toEqual([]);
    // Debian's umoci can't read zstd; the layers hold the same.
    const zstd = await differences(await bigImage("zstd"), "zstd", expected, UMOCI_DIFFERS.big);
    expect(zstd).toEqual([]);
  });

  test("everything that unpackers get wrong is the same", async () => {
    const expected = await unpackWithUmoci(await awkwardImage(), "awkward-bundle");
    const lines = await differences(
      await awkwardImage(),
      "awkward",
      expected,
      UMOCI_DIFFERS.awkward,
    );
    expect(lines).toEqual([]);
  });
});
