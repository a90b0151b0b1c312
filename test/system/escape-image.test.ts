import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { dir, symlink } from "../../fixtures/layers/change.ts";
import { layerTar } from "../../fixtures/layers/layer-tar.ts";
import { App } from "../../src/app.ts";
import { escapeStand, reason } from "./support/escape-stand.ts";
import { ImageServer } from "./support/image-server.ts";
import { pullInto } from "./support/store.ts";
import { temporaryDirectory } from "./support/temporary.ts";

describe.skipIf(reason)(`what an image or a name says ${reason ?? ""}`, () => {
  const stand = escapeStand();

  test("a link to the host's users gives an image none of them", async () => {
    await using server = await ImageServer.start();
    using root = temporaryDirectory();
    const users = join(stand.directory, "passwd");
    writeFileSync(users, "hosts-own:x:4242:4242::/:/bin/sh\n");
    const tar = layerTar([dir("etc"), symlink("etc/passwd", users)]);
    await pullInto(root.path, server.add("linked", { layers: [{ tar }] }));
    using app = new App({ root: root.path });
    const top = app.snapshots.walk().at(-1);
    if (top === undefined) throw new Error("the image has no snapshot");
    expect(app.snapshots.accounts(top.id)).toBe('{"passwd":"","group":""}');
    // Whoever just opened the file would read the host's.
    const layers = join(root.path, "overlay2");
    const names = readdirSync(layers).filter((name) => name !== "l");
    const read = names.map((name) => readFileSync(join(layers, name, "diff/etc/passwd"), "utf8"));
    expect(read.join()).toContain("hosts-own");
  });

  test.each([
    "evil\n10.0.0.1 registry.example",
    "evil registry.example",
    "../../etc/shadow",
    "-h",
    "$(reboot)",
    "\u202etxt.exe",
    "\u001b[2J",
    "a".repeat(65),
  ])("a host name can't be %j", (hostname) => {
    using box = stand.box();
    const launch = () => box.launch({ args: ["true"], flags: { hostname } });
    expect(launch).toThrow(expect.objectContaining({ code: "ERR_USAGE" }));
  });
});
