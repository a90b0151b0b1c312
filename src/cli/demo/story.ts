import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { App } from "../../app.ts";
import {
  buildDemoImage,
  type DemoImage,
  DRAFT,
  DRAFT_WHITEOUT,
  MOTD,
  PLAN,
} from "../../image/demo/demo-image.ts";
import { LayoutSource } from "../../image/demo/layout-source.ts";
import type { RegistryServer } from "../../registry/server.ts";
import { ellipsis, shortId } from "../output/shorten.ts";
import { formatSize } from "../output/size.ts";
import { formatTable } from "../output/table.ts";
import { expectThat } from "./expect-that.ts";
import { isWhiteout, listFiles } from "./listing.ts";
import { memoryLimitFile } from "./memory-view.ts";
import { DEMO_DRIVER, type Stage } from "./stage.ts";
import type { Workspace } from "./workspace.ts";

const MEMORY = { flag: "64m", bytes: "67108864" };
const WRITTEN = "srv/notes/done";

export interface Scene {
  readonly stage: Stage;
  /** Opened on the workspace's store: what the commands did is checked in it. */
  readonly app: App;
  readonly workspace: Workspace;
}

/** From nothing to a container and back; every step checks what it claims. */
export async function playStory(scene: Scene): Promise<void> {
  const image = await buildStep(scene);
  const { startRegistryServer } = await import("../../registry/server.ts");
  const source = new LayoutSource(scene.workspace.layout, "demo");
  const server = await startRegistryServer({ source, host: "127.0.0.1", port: 0 });
  try {
    const name = await pullStep(scene, image, server);
    layersStep(scene, image, name);
    await runStep(scene, name);
    await explainStep(scene, name);
    await removeStep(scene, name);
  } finally {
    await server.close();
  }
}

async function buildStep({ stage, workspace }: Scene): Promise<DemoImage> {
  stage.lines(
    "The whole story of an image on this machine, without the network, in",
    `${workspace.directory}, which is removed in the end.`,
  );
  stage.heading("An image of three layers");
  stage.lines(
    "A layer is a tar archive of what it changes. The third one removes a file:",
    `in the archive that is an empty entry "${DRAFT_WHITEOUT}", a whiteout.`,
    "",
  );
  const image = await buildDemoImage(workspace.layout);
  const columns = [{ title: "LAYER" }, { title: "SIZE", right: true }, { title: "CONTENT" }];
  const rows = image.layers.map((layer, at) => [
    String(at + 1),
    formatSize(layer.size),
    ellipsis(layer.content, 60),
  ]);
  stage.lines(...formatTable(columns, rows).trimEnd().split("\n"));
  return image;
}

/** @returns the image's name */
async function pullStep({ stage, app }: Scene, image: DemoImage, server: RegistryServer) {
  stage.heading("Pulled from a registry");
  stage.lines(
    `${server.url} now serves it: a registry inside the demo, the same`,
    'that "tsimg serve" is. Layers are fetched over HTTP, verified, and unpacked',
    "while they come in, each by a confined process of its own.",
  );
  const name = `127.0.0.1:${server.port}/demo`;
  await stage.run({ args: ["pull", name], output: "through" });
  const { digest } = app.images.existing(name).image;
  expectThat(digest === image.manifest, `the pulled image is ${image.manifest}`);
  return name;
}

function layersStep({ stage, app }: Scene, image: DemoImage, name: string): void {
  stage.heading("What it became: overlay2 directories");
  stage.lines(
    "Each layer has a directory with its own changes in diff, a short name in",
    "link, and the short names of the layers below it in lower, as docker has them.",
  );
  const home = join(app.paths.root, "overlay2");
  stage.lines("", `${home}/`);
  const layers = app.images.layers(app.images.existing(name).image.digest);
  const ids = layers.map(({ digest, size, chainId }, at) => {
    const snapshot = app.snapshots.byChain(DEMO_DRIVER, chainId);
    expectThat(digest === image.layers[at]?.digest, `layer ${at + 1} is the one that was built`);
    expectThat(snapshot !== undefined, `layer ${at + 1} is unpacked`);
    stage.lines(
      `  ${shortId(snapshot.id)}…/    layer ${at + 1}: ${shortId(digest)}, ${formatSize(size)}`,
      ...describeLayer(join(home, snapshot.id)),
    );
    return snapshot.id;
  });
  expectThat(ids.length === 3, "the image has three layers");
  const draft = join(home, ids.at(-1) ?? "", "diff", DRAFT);
  expectThat(isWhiteout(draft), `"${draft}" is a character device 0:0`);
  const below = join(home, ids.at(-2) ?? "", "diff", DRAFT);
  expectThat(lstatSync(below).isFile(), `"${below}" is still there`);
  stage.lines(
    "",
    "The whiteout is a character device 0, 0 by now: so overlayfs marks a file that",
    "is not there any more. The layer below still has it.",
  );
}

function describeLayer(directory: string): readonly string[] {
  const short = readFileSync(join(directory, "link"), "latin1");
  const diff = join(directory, "diff");
  expectThat(existsSync(join(directory, "..", "l", short)), `l/${short} is there`);
  const hasLower = existsSync(join(directory, "lower"));
  const lower = hasLower ? readFileSync(join(directory, "lower"), "latin1").split(":") : [];
  const files = listFiles(diff);
  const content =
    files.length > 6 ? [`${readdirSync(diff).join("  ")}   (${files.length} files)`] : files;
  return [
    `    link    ${short}`,
    ...(lower.length === 0 ? [] : [`    lower   ${lower.map(shortLower).join(":")}`]),
    ...content.map((line, at) => `    ${at === 0 ? "diff/" : "     "}   ${line}`),
  ];
}

function shortLower(link: string): string {
  return ellipsis(link, 12);
}

async function runStep({ stage, app }: Scene, name: string): Promise<void> {
  const limitFile = memoryLimitFile();
  stage.heading("A container of it");
  stage.lines(
    "Its root is an overlay of the three layers and a directory of its own, mounted",
    "in a mount namespace that only the container has. It sees the third layer's",
    "message and no draft, writes a file and removes one.",
  );
  if (limitFile === undefined)
    stage.lines("(This machine has no memory controller: the container gets no limit.)");
  const script = [
    `echo "process $$ on host $(cat /proc/sys/kernel/hostname)"`,
    ...(limitFile === undefined ? [] : [`echo "memory limit: $(cat ${limitFile})"`]),
    `echo "notes: $(ls /srv/notes)"`,
    `cat /${MOTD}`,
    `echo "seen it all" > /${WRITTEN}; rm /${MOTD}`,
  ];
  const command = ["sh", "-c", `\n  ${script.join("\n  ")}\n`];
  const memory = limitFile === undefined ? [] : ["--memory", MEMORY.flag];
  const { stdout } = await stage.run({
    args: ["run", "--name", "demo", "--network", "none", ...memory, name, ...command],
    output: "kept",
  });
  const { row } = app.containers.existing("demo");
  const limits = limitFile === undefined ? "" : `memory limit: ${MEMORY.bytes}\n`;
  const expected = `process 1 on host ${row.id.slice(0, 12)}\n${limits}notes: ${PLAN.split("/").at(-1)}\nhello from the third layer\n`;
  expectThat(stdout === expected, "the container saw what it was promised");
  const upper = app.snapshots.paths(row.snapshot)["UpperDir"] ?? "";
  stage.lines("", "What it wrote is in its own diff, and only there:", "");
  stage.lines(`${upper.replace(row.snapshot, `${shortId(row.snapshot)}…`)}/`);
  stage.lines(...listFiles(upper).map((line) => `  ${line}`));
  const written = readFileSync(join(upper, WRITTEN), "utf8");
  expectThat(written === "seen it all\n", `"${relative(app.paths.root, upper)}" has the new file`);
  expectThat(isWhiteout(join(upper, MOTD)), `the removed ${MOTD} is a whiteout`);
}

/** A line of --explain for each of the things that make a container. */
const DECISIVE = [/^clone3\(/, /lowerdir/, /^pivot_root\(/, /^seccomp\(/, /^execve\(/];

async function explainStep({ stage }: Scene, name: string): Promise<void> {
  stage.heading("Every system call of a start");
  stage.lines(
    "A container is started by a list of system calls that tsimg compiles beforehand,",
    "and a small program performs between clone3 and execve. --explain prints it:",
  );
  const { stderr } = await stage.run({
    args: ["run", "--rm", "--network", "none", "--explain", name, "true"],
    output: "silent",
  });
  const calls = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const shown = DECISIVE.flatMap((pattern) => calls.find((line) => pattern.test(line)) ?? []);
  stage.lines(...shown.map((line) => ellipsis(shortCall(line), 78)));
  stage.lines(`… and ${calls.length - shown.length} more`);
  expectThat(shown.length === DECISIVE.length, "--explain shows the decisive calls");
}

/** Without what stands in brackets, about tolerated errors, and with IDs as short as elsewhere. */
function shortCall(line: string): string {
  return line
    .trim()
    .replace(/ {2}\[.*?\](?= {2}#)/, "")
    .replace(/[0-9a-f]{64}/g, (id) => `${shortId(id)}…`);
}

async function removeStep({ stage, app }: Scene, name: string): Promise<void> {
  stage.heading("Nothing stays");
  stage.lines("Containers and images go, and with the last user of a layer the layer.");
  const cgroups = app.containers.list().flatMap(({ options }) => options.cgroups);
  await stage.run({ args: ["rm", "demo"], output: "through" });
  await stage.run({ args: ["rmi", name], output: "through" });
  const { root, runRoot, blobs } = app.paths;
  const left = [
    ...readdirSync(join(root, "overlay2")).filter((entry) => entry !== "l"),
    ...readdirSync(join(root, "overlay2", "l")),
    ...readdirSync(join(blobs, "sha256")),
    ...readdirSync(runRoot),
    ...cgroups.filter((group) => existsSync(group)),
  ];
  expectThat(left.length === 0, `nothing is left (${left.join(", ")} is)`);
  const mounts = readFileSync("/proc/self/mountinfo", "utf8");
  expectThat(!mounts.includes(root), "nothing is mounted");
}
