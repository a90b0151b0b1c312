import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CommandOutcome, outcomeOf, outputOf } from "../../fixtures/command.ts";
import { buildDemoImage, type DemoImage } from "../../src/image/demo/demo-image.ts";
import { LayoutSource } from "../../src/image/demo/layout-source.ts";
import { type Digest, digestHex, sha256Digest } from "../../src/oci/digest.ts";
import { OCI_INDEX, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import { hostPlatform } from "../../src/oci/platform.ts";
import { startRegistryServer } from "../../src/registry/server.ts";

const PROGRAM = join(import.meta.dirname, "../../bin/tsimg");
const root = mkdtempSync(join(tmpdir(), "tsimg-serve-"));
const isRoot = process.getuid?.() === 0;
const noSkopeo = spawnSync("skopeo", ["--version"]).error !== undefined;
let demo: DemoImage;
/** An index that also has an image for a platform that nobody pulls. */
let index: Buffer;

/** Fills the store "first" from a registry, under two names. */
beforeAll(async () => {
  demo = await buildDemoImage(root);
  const layout = new LayoutSource(root, "team/demo");
  const bytes = layout.manifest("team/demo", "latest")?.bytes ?? Buffer.of();
  const other = { os: "plan9", architecture: "mips" };
  index = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [
        descriptor(demo.manifest, bytes.length, hostPlatform()),
        descriptor(sha256Digest(Buffer.of()), 9, other),
      ],
    }),
  );
  const server = await startRegistryServer({
    host: "127.0.0.1",
    port: 0,
    source: {
      repositories: () => layout.repositories(),
      tags: (repository) => layout.tags(repository),
      manifest: (repository, reference) =>
        reference === "multi"
          ? { bytes: index, mediaType: OCI_INDEX, digest: sha256Digest(index) }
          : layout.manifest(repository, reference),
      blob: (repository, digest) => layout.blob(repository, digest),
    },
  });
  try {
    if (!isRoot) return;
    await pull("first", `127.0.0.1:${server.port}/team/demo:latest`);
    await pull("first", `127.0.0.1:${server.port}/team/demo:multi`);
  } finally {
    await server.close();
  }
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

test.skipIf(!isRoot)("a pull from it gives another store the same image", async () => {
  await using server = await serve("first");
  expect(await pull("second", `${server.host}/team/demo:latest`)).toBe(demo.manifest);
  expect(await imageIds("second")).toEqual(await imageIds("first"));
  // And that one can be served on.
  await using next = await serve("second");
  expect(await pull("third", `${next.host}/team/demo`)).toBe(demo.manifest);
});

test.skipIf(!isRoot)(
  "of an index its own platform's image can be pulled by tag and digest",
  async () => {
    await using server = await serve("first");
    expect(await pull("fourth", `${server.host}/team/demo:multi`)).toBe(demo.manifest);
    const digest = sha256Digest(index);
    expect(await pull("fourth", `${server.host}/team/demo@${digest}`)).toBe(digest);
  },
);

test.skipIf(!isRoot || noSkopeo)("skopeo inspects and copies from it", async () => {
  await using server = await serve("first");
  const image = `docker://${server.host}/team/demo:latest`;
  const inspected = JSON.parse(await outputOf(["skopeo", "inspect", "--tls-verify=false", image]));
  expect(inspected).toMatchObject({
    Digest: demo.manifest,
    RepoTags: ["latest", "multi"],
    Layers: demo.layers.map((layer) => layer.digest),
  });
  const target = join(root, "copied");
  const copy = ["skopeo", "--insecure-policy", "copy", "--src-tls-verify=false"];
  await outputOf([...copy, image, `dir:${target}`]);
  for (const { digest } of demo.layers)
    expect(sha256Digest(readFileSync(join(target, digestHex(digest))))).toBe(digest);
});

test("Ctrl-C ends it with status 0, and nothing can be written", async () => {
  const server = await serve("empty");
  const upload = `http://${server.host}/v2/team/demo/blobs/uploads/`;
  expect((await fetch(upload, { method: "POST" })).status).toBe(405);
  const list = await fetch(`http://${server.host}/v2/_catalog`);
  expect(await list.json()).toEqual({ repositories: [] });
  expect(await server.end()).toBe(0);
});

test("it says what is wrong with an address, and who can read where anybody can", async () => {
  await using server = await serve("empty", "127.0.0.1:0");
  const taken = await tsimg("empty", ["serve", "--listen", server.host]);
  expect(taken.status).toBe(125);
  expect(taken.stderr).toMatch(/cannot listen on "127\.0\.0\.1" port \d+.*EADDRINUSE.*\nhint: /);
  for (const address of ["5000", "127.0.0.1", ":5000", "[x]:1", "::1:5000", "127.0.0.1:65536"]) {
    const refused = await tsimg("empty", ["serve", "--listen", address]);
    expect(refused).toMatchObject({
      status: 125,
      stderr: expect.stringContaining("127.0.0.1:5000"),
    });
  }
  await using open = await serve("empty", "0.0.0.0:0");
  expect(open.warnings()).toMatch(/^warning: anyone who reaches http:\/\/0\.0\.0\.0:/);
  expect(server.warnings()).toBe("");
});

interface Serving extends AsyncDisposable {
  /** As in `127.0.0.1:41234`. */
  readonly host: string;
  warnings(): string;
  /** Interrupts it; answers its exit status. */
  end(): Promise<number | null>;
}

async function serve(store: string, listen = "127.0.0.1:0"): Promise<Serving> {
  const child = spawn(PROGRAM, ["--root", join(root, store), "serve", "--listen", listen]);
  const ended = once(child, "exit") as Promise<[number | null]>;
  let warnings = "";
  child.stderr.on("data", (chunk: Buffer) => {
    warnings += chunk;
  });
  const end = async () => {
    child.kill("SIGINT");
    return (await ended)[0];
  };
  const host = await listeningHost(child);
  return {
    host,
    warnings: () => warnings,
    end,
    [Symbol.asyncDispose]: async () => void (await end()),
  };
}

async function listeningHost(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of child.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    text += chunk;
    const host = /at http:\/\/(\S+)\n/.exec(text)?.[1];
    if (host !== undefined) return host;
  }
  throw new Error(`tsimg serve did not start: ${text}`);
}

/** @returns the digest that the pull printed */
async function pull(store: string, reference: string): Promise<string> {
  const { status, stdout, stderr } = await tsimg(store, ["pull", "--quiet", reference]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout.toString().trim();
}

async function imageIds(store: string): Promise<string[]> {
  const { stdout } = await tsimg(store, ["images", "-q", "--no-trunc"]);
  return [...new Set(stdout.toString().trim().split("\n"))];
}

function tsimg(store: string, args: readonly string[]): Promise<CommandOutcome> {
  return outcomeOf([PROGRAM, "--root", join(root, store), ...args]);
}

function descriptor(digest: Digest, size: number, platform: object) {
  return { mediaType: OCI_MANIFEST, digest, size, platform };
}
