import { chownSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reason, Stage } from "./run-stage.ts";

const LOOP = "trap 'exit 0' TERM; while :; do sleep 0.05; done";
const MAP = ["--uidmap", "0:300000:1000", "--gidmap", "0:400000:1000"];

describe.skipIf(reason)(`cp and user namespaces ${reason ?? ""}`, () => {
  let stage: Stage;
  /** A directory of the host with one file of user 7. */
  let tree: string;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
    tree = join(stage.root, "tree");
    mkdirSync(tree);
    writeFileSync(join(tree, "file"), "content");
    chownSync(join(tree, "file"), 7, 8);
  });
  afterAll(async () => {
    await stage?.tsimg(["rm", "-f", "mapped"]);
    await stage?.tsimg(["volume", "rm", "-f", "data"]);
    await stage?.[Symbol.asyncDispose]();
  });

  const start = async (driver: string) => {
    await stage.tsimg(["rm", "-f", "mapped"]);
    await stage.tsimg(["volume", "rm", "-f", "data"]);
    const flags = ["--driver", driver, "-v", "data:/data", ...MAP];
    const made = ["run", "-d", "--name", "mapped", ...flags, stage.tiny, "sh", "-c", LOOP];
    expect(await stage.tsimg(made)).toMatchObject({ status: 0 });
  };
  const owners = (...paths: readonly string[]) =>
    stage.output("exec", "mapped", "stat", "-c", "%u:%g", ...paths);

  // Overlay maps its layers, others the tree as a whole.
  describe.each(["overlay2", "vfs"])("%s", (driver) => {
    test.each(["running", "stopped"])("a %s container gets owners of its own", async (state) => {
      await start(driver);
      if (state === "stopped") await stage.output("stop", "mapped");
      await stage.output("cp", tree, "mapped:/etc/given");
      await stage.output("cp", "-a", tree, "mapped:/etc/kept");
      await stage.output("cp", "-a", tree, "mapped:/data");
      await stage.shell(`tar c -C ${tree} file | $TSIMG cp - mapped:/etc`);
      if (state === "stopped") await stage.output("start", "mapped");
      const places = ["/etc", "/etc/passwd", "/etc/given", "/etc/given/file"];
      expect(await owners(...places)).toBe("0:0\n".repeat(4));
      const kept = ["/etc/kept/file", "/data/tree/file", "/etc/file"];
      expect(await owners(...kept)).toBe("7:8\n".repeat(3));
    });

    test.each(["running", "stopped"])("a %s container's files come out right", async (state) => {
      await start(driver);
      const make = "echo x >/mine; chown 7:8 /mine; cp -p /mine /data/mine";
      await stage.output("exec", "mapped", "sh", "-c", make);
      if (state === "stopped") await stage.output("stop", "mapped");
      for (const source of ["mapped:/mine", "mapped:/data/mine"]) {
        const out = join(stage.root, "out");
        rmSync(out, { force: true });
        await stage.output("cp", source, out);
        expect(statSync(out)).toMatchObject({ uid: 0, gid: 0 });
        await stage.output("cp", "-a", source, out);
        expect(statSync(out)).toMatchObject({ uid: 7, gid: 8 });
        const listed = await stage.shell(`$TSIMG cp ${source} - | tar tv --numeric-owner`);
        expect(listed.stdout).toContain(" 7/8 ");
      }
      const image = await stage.shell("$TSIMG cp mapped:/etc/passwd - | tar tv --numeric-owner");
      expect(image.stdout).toContain(" 0/0 ");
    });
  });

  test("an owner that the container hasn't got is refused by number", async () => {
    await start("overlay2");
    const strange = join(stage.root, "strange");
    writeFileSync(strange, "");
    chownSync(strange, 5000, 0);
    const { status, stderr } = await stage.tsimg(["cp", "-a", strange, "mapped:/"]);
    expect(stderr).toMatch(/user 5000 is not in the container's user namespace\nhint: /);
    expect(status).not.toBe(0);
    await stage.output("cp", strange, "mapped:/");
    expect(await owners("/strange")).toBe("0:0\n");
  });
});
