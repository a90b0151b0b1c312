import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reason, Stage, TSIMG } from "./run-stage.ts";

const MAPPED = ["run", "--rm", "--uidmap", "0:100000:65536", "--gidmap", "0:100000:65536"];

describe.skipIf(reason)(`a container with mapped users ${reason ?? ""}`, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  test("opens its standard streams again where they are pipes", async () => {
    const script = "id -u; cat /dev/stdin; echo out >/dev/stdout; echo err >/dev/stderr";
    const run = `$TSIMG ${MAPPED.join(" ")} -i ${stage.tiny} sh -c '${script}'`;
    const outcome = await stage.shell(`echo in | { ${run} 2>&1; echo $?; } | cat`);
    expect(outcome.stdout).toBe("0\nin\nout\nerr\n0\n");
  });

  test("does not become the owner of the caller's files and devices", () => {
    const path = join(stage.root, "output");
    // A null device of its own: were it given away, the machine's would be for everybody.
    const device = join(stage.root, "null");
    expect(spawnSync("mknod", [device, "c", "1", "3"]).status).toBe(0);
    const [file, nothing] = [openSync(path, "w"), openSync(device, "r+")];
    const words = [...MAPPED, "-i", stage.tiny, "echo", "said"];
    const stdio = [nothing, file, nothing];
    const { status } = spawnSync(TSIMG, words, { env: stage.env, stdio });
    for (const fd of [file, nothing]) closeSync(fd);
    expect(status).toBe(0);
    expect(readFileSync(path, "utf8")).toBe("said\n");
    const owner = (of: string) => [statSync(of).uid, statSync(of).gid];
    expect(owner(path)).toEqual([process.getuid?.(), process.getgid?.()]);
    expect(owner(device)).toEqual([0, 0]);
  });
});
