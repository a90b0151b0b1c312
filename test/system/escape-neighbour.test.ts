import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reason, Stage } from "./run-stage.ts";

/** What an ordinary user of the machine, nobody's, gets to read of a file; undefined for nothing. */
function seenByNobody(path: string): string | undefined {
  const ids = ["--reuid=65534", "--regid=65534", "--clear-groups"];
  const { status, stdout } = spawnSync("setpriv", [...ids, "cat", path], { encoding: "latin1" });
  return status === 0 ? stdout : undefined;
}

describe.skipIf(reason)(`an ordinary user beside the store ${reason ?? ""}`, () => {
  let stage: Stage;
  let store: string;
  beforeAll(async () => {
    stage = await Stage.open();
    store = stage.env["TSIMG_ROOT"] ?? "";
    await stage.output("pull", "-q", stage.tiny);
    // As where the store is in a directory that somebody has made for it.
    for (const path of [stage.root, store]) chmodSync(path, 0o755);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  // CVE-2021-41091: a set-user-ID program that a container's root leaves there is root's.
  test("reaches nothing that containers have put into volumes", async () => {
    await stage.run(["-v", "shared:/shared"], "echo secret >/shared/file; chmod 755 /shared");
    const volume = join(store, "volumes", "shared");
    const file = join(volume, "_data", "file");
    expect(seenByNobody(file)).toBeUndefined();
    for (const path of [join(store, "volumes"), volume]) chmodSync(path, 0o755);
    expect(seenByNobody(file)).toBe("secret\n");
    await stage.output("volume", "rm", "shared");
  });

  test("does not own the file of a process ID in everybody's directory", async () => {
    const place = join(stage.root, "everybody");
    mkdirSync(place);
    chmodSync(place, 0o1777);
    const file = join(place, "pid");
    writeFileSync(`${file}.new`, "1");
    chownSync(`${file}.new`, 65534, 65534);
    await stage.output("run", "--rm", "--pidfile", file, stage.tiny, "true");
    expect(statSync(file).uid).toBe(0);
  });

  test("reads no label of a container's in the database", async () => {
    await stage.output("create", "--name", "keeper", "--label", "pass=w0rd", stage.tiny, "true");
    const files = ["tsimg.db", "tsimg.db-wal"].map((name) => join(store, name));
    const seen = () => files.map(seenByNobody).join("");
    expect(seen()).toBe("");
    for (const path of files) spawnSync("chmod", ["644", path]);
    expect(seen()).toContain("w0rd");
    await stage.output("rm", "keeper");
  });
});
