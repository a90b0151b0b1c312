import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { absent, LayeredStage } from "./support/layered-stage.ts";

describe.skipIf(absent !== undefined)(`which ${absent ?? ""}`, () => {
  let stage: LayeredStage;
  beforeAll(async () => {
    stage = await LayeredStage.open();
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  /** `LAYER STATE WHAT` of each row. */
  async function which(...args: string[]): Promise<readonly string[]> {
    const format = ["--format", "{{.Layer}} {{.State}} {{.What}}"];
    const { stdout } = await stage.tsimg.run("which", ...format, stage.app, ...args);
    return stdout.toString().trimEnd().split("\n");
  }

  it("names the layer whose version shows, and those that it hides", async () => {
    expect(await which("/usr/lib/tool")).toEqual(["3 shown file", "2 hidden file"]);
    expect(await which("bin/busybox")).toEqual(["1 shown file"]);
    expect(await which("/usr/lib/tool-2")).toEqual(["3 shown file, hard link to /usr/lib/tool"]);
    expect(await which("/etc")).toEqual(["3 shown dir", "1 merged dir"]);
    expect(await which("/data")).toEqual(["4 shown dir, opaque", "2 hidden dir"]);
  });

  it("tells what was removed, by what, and ends with status 1", async () => {
    expect(await which("/data/old/file")).toEqual([
      "3 removed whiteout of /data/old",
      "2 hidden file",
    ]);
    expect(await which("/data/old")).toEqual(["3 removed whiteout", "2 hidden dir"]);
    expect(await which("/data/kept")).toEqual(["4 removed opaque mark of /data", "2 hidden file"]);
    expect((await stage.tsimg.run("which", stage.app, "/data/kept")).status).toBe(1);
    expect((await stage.tsimg.run("which", stage.app, "/data/new")).status).toBe(0);
  });

  it("follows symlinks on the way, and that at the end when asked to", async () => {
    expect(await which("/usr/bin/hello")).toEqual(["3 shown file"]);
    expect(await which("/usr/bin")).toEqual(["2 shown symlink to ../bin"]);
    expect(await which("-L", "/usr/bin")).toEqual(["1 shown dir"]);
    expect(await which("-L", "/usr/bin/sh")).toEqual(["1 shown file"]);
    expect(await stage.tsimg.output("which", stage.app, "/usr/bin/../bin/sh")).toMatch(
      /^\/usr\/bin\/\.\.\/bin\/sh is \/bin\/sh\nLAYER /,
    );
  });

  it("shows digests and the words of the history", async () => {
    const text = await stage.tsimg.output("which", stage.app, "/usr/lib/tool");
    expect(text).toMatch(
      /^LAYER +STATE +WHAT +SIZE +DIGEST +CREATED BY\n3 +shown +file +6B +[0-9a-f]{12} +RUN make install\n2 +hidden +file +5B +[0-9a-f]{12} +ADD file:0123 in \/\n$/,
    );
    const [row] = await stage.json("which", "--no-trunc", stage.app, "/usr/lib/tool");
    expect(row).toMatchObject({
      Path: "/usr/lib/tool",
      Digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      CreatedBy: "RUN /bin/sh -c make install # buildkit",
    });
  });

  it("says that there is no such path, image, or blob", async () => {
    const nowhere = await stage.tsimg.run("which", stage.app, "/no/where");
    expect(nowhere).toMatchObject({ status: 1, stdout: Buffer.alloc(0) });
    expect(nowhere.stderr).toMatch(/no '\/no\/where' in image .*\nhint: .*tsimg mount/);
    expect((await stage.tsimg.run("which", "nothing", "/")).stderr).toContain("no such image");
  });

  it("answers from kept indexes, which go when they are damaged or their layers go", async () => {
    const cache = join(stage.tsimg.root, "cache/layer-index");
    const kept = readdirSync(cache);
    expect(kept).toHaveLength(4);
    for (const name of kept) writeFileSync(join(cache, name), "{}\n");
    expect(await which("/usr/lib/tool")).toEqual(["3 shown file", "2 hidden file"]);
    await stage.tsimg.output("rmi", stage.app);
    expect(readdirSync(cache)).toHaveLength(1);
    await stage.pull();
    const rows = await stage.json("which", "--no-trunc", stage.app, "/data/new");
    const blob = String(rows[0]?.["Digest"]).replace(":", "/");
    rmSync(cache, { recursive: true });
    rmSync(join(stage.tsimg.root, "content/blobs", blob));
    const gone = await stage.tsimg.run("which", stage.app, "/data/new");
    expect(gone.status).toBe(125);
    expect(gone.stderr).toMatch(/blob of layer 'sha256:.*' is not in the store\nhint: pull/);
    await stage.pull();
    expect(await which("/data/new")).toEqual(["4 shown file"]);
  });
});
