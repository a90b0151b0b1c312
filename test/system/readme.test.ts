import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tinyImage } from "../../fixtures/images/tiny-image.ts";
import { type Registry, startRegistry } from "../../fixtures/registry/registry.ts";

const checkout = join(import.meta.dirname, "..", "..");
const readme = readFileSync(join(checkout, "README.md"), "utf8");

/** The lines behind `$ ` of all console blocks, comments left out. */
const commands = [...readme.matchAll(/```console\n(.*?)```/gs)]
  .flatMap((block) => (block[1] ?? "").split("\n"))
  .filter((line) => line.startsWith("$ "))
  .map((line) => line.slice(2).replace(/\s+# .*$/, ""));

let registry: Registry;
let root: string;
let image: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tsimg-readme-"));
  registry = await startRegistry();
  image = await registry.push(await tinyImage(), "alpine");
});

afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  // What commands left, had one of them failed; and the default network.
  shell("bin/tsimg rm -f web db; bin/tsimg network rm blue bridge || true");
  shell(
    `sed -n 's|^[^ ]* \\(${root}/[^ ]*\\) .*|\\1|p' /proc/mounts | sort -r | xargs -r umount -l`,
  );
  await rm(root, { recursive: true, force: true });
});

function shell(line: string): string {
  return execFileSync("sh", ["-ec", line], {
    cwd: checkout,
    // Other networks of this machine's may take what is usual.
    env: { ...process.env, TSIMG_ROOT: root, TSIMG_SUBNET: "10.213.0.0/16" },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

test("the README has commands", () => {
  expect(commands.length).toBeGreaterThan(10);
  expect(commands[0]).toBe("npm ci && npx tsimg demo");
  expect(commands[1]).toBe("npm ci && npm test");
});

test("every command of the README works, in its order, with an image from a local registry", () => {
  const output = new Map<string, string>();
  for (const command of commands.slice(2)) {
    const real = command.replace(/^tsimg/, "bin/tsimg").replace(/\balpine\b/, image);
    output.set(command, shell(real));
  }
  const of = (start: string) => [...output].find(([command]) => command.startsWith(start))?.[1];
  expect(of("tsimg pull")).toContain("Status: Downloaded newer image");
  expect(of("tsimg images")).toMatch(/alpine +latest/);
  expect(of("tsimg run --rm alpine cat")).toContain("root:");
  expect(of("tsimg ps")).toMatch(/Up .* web\n/);
  expect(of("tsimg inspect")).toMatch(/overlay2\/[0-9a-f]{64}\/diff\n/);
  expect(of("tsimg exec web cat")).toMatch(/\tdb\b/);
  expect(of("tsimg port")).toMatch(/^80\/tcp -> 127\.0\.0\.1:\d+\n$/);
  expect(of("tsimg run --rm --uidmap")).toMatch(/^ *0 +100000 +65536\n$/);
  expect(of("tsimg doctor")).toContain("overlay2 is used, and works");
  expect(of("tsimg tree")).toContain("btrfs:fast");
  expect(of("tsimg which")).toMatch(/^1 +shown +file /m);
  expect(shell("bin/tsimg images -q")).toBe("");
  expect(shell("bin/tsimg pool ls")).not.toContain("fast");
});
