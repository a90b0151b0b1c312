import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outputOf } from "../../fixtures/command.ts";
import { reason, Stage } from "./run-stage.ts";

describe.skipIf(reason)(`commands for images ${reason ?? ""}`, () => {
  let stage: Stage;
  let id: string;
  /** A second name of the tiny image. */
  let other: string;
  beforeAll(async () => {
    stage = await Stage.open();
    other = stage.tiny.replace("tiny:latest", "second/name:v1.0");
    const insecure = ["--src-tls-verify=false", "--dest-tls-verify=false"];
    const copy = ["skopeo", "--insecure-policy", "copy", "--quiet", ...insecure];
    await outputOf([...copy, `docker://${stage.tiny}`, `docker://${other}`]);
    await stage.output("pull", "-q", stage.tiny);
    id = (await stage.output("images", "-q", "--no-trunc")).trimEnd();
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const names = () => stage.output("images", "--format", "{{.Repository}}:{{.Tag}}");

  async function fails(args: readonly string[], words: RegExp, status = 1): Promise<void> {
    const outcome = await stage.tsimg(args);
    expect(outcome).toMatchObject({ status, stdout: "" });
    expect(outcome.stderr).toMatch(words);
  }

  test("images lists names, IDs, ages and sizes as docker does", async () => {
    const [repository = ""] = stage.tiny.split(":latest");
    const short = id.slice("sha256:".length).slice(0, 12);
    expect(await stage.output("images")).toMatch(
      new RegExp(
        `^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE +DRIVERS\n${repository} +latest +${short} +\\d+ years ago +[\\d.]+MB +overlay2\n$`,
      ),
    );
    expect(await stage.output("images", "-q")).toBe(`${short}\n`);
    expect(await stage.output("images", "-q", repository)).toBe(`${short}\n`);
    expect(await stage.output("images", "-q", "unknown")).toBe("");
    const digests = await stage.output("images", "--digests", "--no-trunc");
    expect(digests).toMatch(
      /^REPOSITORY +TAG +DIGEST +IMAGE ID .*\n.* sha256:[0-9a-f]{64} +sha256:/,
    );
    expect(JSON.parse(await stage.output("images", "--format", "json"))).toMatchObject({
      Repository: repository,
      Tag: "latest",
      ID: short,
      Drivers: "overlay2",
    });
  });

  test("inspect shows an image's configuration and its layers in the driver", async () => {
    const [found] = JSON.parse(await stage.output("inspect", "--type", "image", stage.tiny));
    expect(found).toMatchObject({
      Id: id,
      RepoTags: [stage.tiny],
      Os: "linux",
      Config: { Cmd: ["sh"], Env: ["PATH=/bin"] },
      RootFS: { Type: "layers", Layers: [expect.stringMatching(/^sha256:/)] },
      GraphDriver: { Name: "overlay2" },
    });
    expect(readdirSync(join(found.GraphDriver.Data.UpperDir, "bin"))).toContain("busybox");
    const byId = await stage.output("inspect", "-f", "{{.Id}}", id.slice(7, 15));
    expect(byId).toBe(`${id}\n`);
    const wrong = await stage.tsimg(["inspect", "--type", "color", "x"]);
    expect(wrong).toMatchObject({ status: 1, stdout: "" });
    expect(wrong.stderr).toContain("container, image, network, volume");
  });

  test("one image has several names; rmi takes them one by one", async () => {
    await stage.output("pull", "-q", other);
    expect((await names()).split("\n")).toEqual([other, stage.tiny, ""].sort().slice(1).concat(""));
    await fails(["rmi", id], /has 2 names/);
    expect(await stage.output("rmi", other)).toBe(`Untagged: ${other}\n`);
    expect(await names()).toBe(`${stage.tiny}\n`);
  });

  test("an image in use stays; forced, its names go and its layers stay for the container", async () => {
    await stage.output(
      "run",
      "-d",
      "--name",
      "user",
      stage.tiny,
      "sh",
      "-c",
      "while :; do sleep 0.02; done",
    );
    await fails(["rmi", stage.tiny], /is used by container 'user'\n.*tsimg rm user/);
    await fails(["rmi", id.slice(7, 19)], /is used by container 'user'/);
    expect(await stage.output("rmi", "-f", stage.tiny)).toMatch(
      new RegExp(`^Untagged: ${stage.tiny}\nDeleted: ${id}\n`),
    );
    expect(await names()).toBe("");
    expect(await stage.output("ps", "--format", "{{.Names}}")).toBe("user\n");
    await stage.output("rm", "-f", "user");
    // With the container went the last user of its layer.
    await stage.output("pull", "-q", stage.tiny);
  });

  test("rmi by the start of an ID takes image, layers and blobs away", async () => {
    const text = await stage.output("rmi", id.slice(7, 13));
    expect(text).toMatch(new RegExp(`^Untagged: ${stage.tiny}\nDeleted: ${id}\nDeleted: sha256:`));
    const store = join(stage.root, "store");
    expect(readdirSync(join(store, "overlay2")).filter((name) => name !== "l")).toEqual([]);
    expect(readdirSync(join(store, "content/blobs/sha256"))).toEqual([]);
    await fails(["rmi", stage.tiny], /no such image/);
    await stage.output("pull", "-q", stage.tiny);
  });

  test("an image whose name another one got is listed as <none>", async () => {
    const moving = stage.tiny.replace("tiny", "moving");
    const insecure = ["--src-tls-verify=false", "--dest-tls-verify=false"];
    const copy = (from: string) =>
      outputOf([
        "skopeo",
        "--insecure-policy",
        "copy",
        "-q",
        ...insecure,
        `docker://${from}`,
        `docker://${moving}`,
      ]);
    await copy(stage.special);
    await stage.output("pull", "-q", moving);
    await copy(stage.tiny);
    await stage.output("pull", "-q", moving);
    const rows = (await stage.output("images", "--format", "{{.Repository}} {{.Tag}}")).split("\n");
    expect(rows).toContain("<none> <none>");
    const ids = (await stage.output("images", "--format", "{{.Tag}} {{.ID}}")).split("\n");
    const [, unnamed = ""] = ids.find((line) => line.startsWith("<none>"))?.split(" ") ?? [];
    expect(await stage.output("run", "--rm", unnamed, "busybox", "echo", "runs")).toBe("runs\n");
    expect(await stage.output("rmi", unnamed)).toMatch(/^Deleted: sha256:/);
    await stage.output("rmi", moving);
  });

  test("--pull decides when run fetches", async () => {
    const run = (when: string) => ["run", "--rm", "--pull", when, other, "echo", "ran"];
    await fails(run("never"), /no such image: .*second\/name/, 125);
    const missing = await stage.tsimg(run("missing"));
    expect(missing).toMatchObject({ status: 0, stdout: "ran\n" });
    expect(missing.stderr).toContain(`Unable to find image '${other}' locally`);
    const here = await stage.tsimg(run("missing"));
    expect(here).toEqual({ status: 0, stdout: "ran\n", stderr: "" });
    const always = await stage.tsimg(run("always"));
    expect(always).toMatchObject({ status: 0, stdout: "ran\n" });
    await fails(run("sometimes"), /--pull.*always, missing, never/, 125);
    const gone = stage.tiny.replace("tiny", "not-there");
    await fails(["run", "--rm", gone, "true"], /not-there/, 125);
    await stage.output("rmi", other);
  });

  test("pull says what it does, and that it is up to date", async () => {
    const text = await stage.output("pull", stage.tiny);
    expect(text).toMatch(
      new RegExp(
        `^latest: Pulling from .*tiny\n(.*\n)*Digest: sha256:[0-9a-f]{64}\nStatus: Image is up to date for ${stage.tiny}\n$`,
      ),
    );
  });

  test("info counts what there is", async () => {
    await stage.output("run", "--name", "counted", stage.tiny, "true");
    const facts = JSON.parse(await stage.output("info", "--format", "json"));
    expect(facts).toMatchObject({
      Containers: 1,
      ContainersRunning: 0,
      Images: 1,
      Driver: "overlay2",
    });
    expect(await stage.output("info")).toMatch(/^Containers: 1\n Running: 0\n/);
    await stage.output("rm", "counted");
  });
});
