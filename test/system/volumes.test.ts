import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { SnapshotId } from "../../drivers/driver.ts";
import { App } from "../../src/app.ts";
import type { MountFlags } from "../../src/runtime/mounts/mount-flags.ts";
import type { MountPoint } from "../../src/runtime/mounts/mount-point.ts";
import { planMounts } from "../../src/runtime/mounts/plan-mounts.ts";
import { anonymousName } from "../../src/runtime/volume/new-volume.ts";
import { prepareVolumes } from "../../src/runtime/volume/prepare-volumes.ts";
import { releaseVolumes } from "../../src/runtime/volume/release-volumes.ts";
import { VolumeStore } from "../../src/runtime/volume/volume-store.ts";
import { reason, Stage } from "./run-stage.ts";

/** What the "image" has: the containers of these tests see it in their snapshots. */
const CONTENT = `
mkdir -p /data/sub /big; cd /data
echo one >first; ln first second; ln -s ../etc/passwd link; mkfifo pipe; mknod null c 1 3
dd if=/dev/zero of=holes bs=1 count=1 seek=2000000000 2>/dev/null
cp /bin/busybox suid; chown 12:34 suid; chmod 6755 suid
touch -d @1000000000 first sub; chown 77:88 /data; chmod 2770 /data
ln -s /data /by-link; ln -s $VICTIM /out; ln -s ../../../../../..$VICTIM /climbs
i=0; while [ $i -lt 400 ]; do echo $i >/big/$i; i=$((i+1)); done
`;

describe.skipIf(reason)(`volumes ${reason ?? ""}`, () => {
  let stage: Stage;
  let app: App;
  let store: VolumeStore;
  let victim: string;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
    victim = join(stage.root, "victim");
    mkdirSync(victim);
    writeFileSync(join(victim, "secret"), "secret");
    const env = ["-e", `VICTIM=${victim}`];
    await stage.output("run", "--name", "one", ...env, stage.tiny, "sh", "-c", CONTENT);
    await stage.output("run", "--name", "two", stage.tiny, "true");
    app = new App({ root: stage.env["TSIMG_ROOT"] });
    store = new VolumeStore(app.database, app.paths);
  });
  afterEach(() => {
    for (const name of ["one", "two"]) release(name);
    for (const { name } of store.list()) store.remove(name);
  });
  afterAll(async () => {
    app?.[Symbol.dispose]();
    await stage?.tsimg(["rm", "-f", "one", "two"]);
    await stage?.[Symbol.asyncDispose]();
  });

  const rowOf = (name: string) => app.containers.existing(name).row;
  const release = (name: string, removeAnonymous = true) =>
    releaseVolumes(app, rowOf(name).id, { removeAnonymous });
  function planned(flags: Partial<MountFlags>, others: readonly MountPoint[] = []) {
    return planMounts({
      flags: { volume: [], mount: [], tmpfs: [], volumesFrom: [], ...flags },
      imageVolumes: [],
      pointsOf: () => others,
      volumeMount: (name, options) => store.mountOf(name, options),
      volumesDirectory: app.paths.volumes,
      workingDirectory: stage.root,
      newName: anonymousName,
    });
  }
  /** @returns names of its volumes, in the order of the flags */
  function prepare(name: string, flags: Partial<MountFlags>, isNew = true): readonly string[] {
    const { id, snapshot } = rowOf(name);
    const view = () => app.snapshots.open(snapshot as SnapshotId, "ro", app.paths.view);
    const plan = planned(flags);
    prepareVolumes(app, plan, id, isNew ? view : undefined);
    return plan.volumes.map((volume) => volume.name);
  }
  const filesOf = (name: string) => readdirSync(store.dataDirectory(name)).sort();

  test("a new volume starts as what the image has there, to the last attribute", async () => {
    prepare("one", { volume: ["v:/data"] });
    const data = store.dataDirectory("v");
    const stat = (name: string) => lstatSync(join(data, name));
    expect(filesOf("v")).toEqual(
      ["first", "holes", "link", "null", "pipe", "second", "sub", "suid"].sort(),
    );
    expect(stat("first")).toMatchObject({ ino: stat("second").ino, mtimeMs: 1e12 });
    expect(stat("sub").mtimeMs).toBe(1e12);
    expect(stat("holes")).toMatchObject({ size: 2_000_000_001 });
    expect(stat("holes").blocks).toBeLessThan(100);
    expect(stat("suid")).toMatchObject({ mode: 0o106755, uid: 12, gid: 34 });
    expect([stat("pipe").isFIFO(), stat("null").rdev, stat("link").isSymbolicLink()]).toEqual([
      true,
      0x103,
      true,
    ]);
    expect(stat(".")).toMatchObject({ mode: 0o42770, uid: 77, gid: 88 });
    expect(readdirSync(join(data, ".."))).toEqual(["_data"]);
  });

  test("only an empty one, only of what is inside the image, only when it is wanted", async () => {
    prepare("one", {
      volume: [
        "link:/by-link",
        "abs:/out",
        "up:/climbs",
        "none:/no/such",
        "file:/etc/passwd",
        "no:/data:nocopy",
      ],
    });
    expect(filesOf("link")).toContain("second");
    for (const name of ["abs", "up", "none", "file", "no"]) expect(filesOf(name)).toEqual([]);
    store.create({ name: "own", anonymous: false, labels: {}, options: {} });
    writeFileSync(join(store.dataDirectory("own"), "mine"), "");
    release("one");
    prepare("one", { volume: ["own:/data"] });
    expect(filesOf("own")).toEqual(["mine"]);
    // Emptied by its container, it stays so when that is started again.
    release("one");
    prepare("one", { volume: ["no:/data"] }, false);
    expect(filesOf("no")).toEqual([]);
    expect(readdirSync(victim)).toEqual(["secret"]);
  });

  test("killed while it copies, the next one has the whole copy", async () => {
    const { id, snapshot } = rowOf("one");
    const source = join(import.meta.dirname, "../../src");
    const script = `
      import { App } from "${source}/app.ts";
      import { prepareVolumes } from "${source}/runtime/volume/prepare-volumes.ts";
      const app = new App({ root: process.env.TSIMG_ROOT });
      const plan = JSON.parse(process.argv[1]);
      const view = () => app.snapshots.open("${snapshot}", "ro", app.paths.view);
      process.stdout.write("ready");
      prepareVolumes(app, plan, "${id}", view);`;
    let cut = 0;
    for (let round = 0; round < 8; round++) {
      const plan = JSON.stringify(planned({ volume: [`cut${round}:/big`] }));
      const argv = ["--input-type=module", "-e", script, plan];
      const child: ChildProcess = spawn(process.execPath, argv, { env: stage.env });
      await once(child.stdout ?? child, "data");
      await sleep(round * 8);
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      const volume = join(app.paths.volumes, `cut${round}`);
      if (existsSync(volume) && readdirSync(volume).join() !== "_data") cut++;
      prepare("one", { volume: [`cut${round}:/big`] });
      expect(filesOf(`cut${round}`)).toHaveLength(400);
      expect(readdirSync(volume)).toEqual(["_data"]);
    }
    expect(cut).toBeGreaterThan(0);
  });

  test("what was begun to be moved is moved on, and what is new there stays", () => {
    const { name } = store.create({ name: "half", anonymous: false, labels: {}, options: {} });
    const directory = join(app.paths.volumes, name);
    mkdirSync(join(directory, "_copied"), { mode: 0o750 });
    mkdirSync(join(directory, "_copying"));
    writeFileSync(join(directory, "_copying/part"), "");
    for (const file of ["a", "b"]) writeFileSync(join(directory, "_copied", file), "image's");
    mkdirSync(join(directory, "_data/b"));
    prepare("one", { volume: ["half:/data:nocopy"] });
    expect(filesOf("half")).toEqual(["a", "b"]);
    expect(lstatSync(join(directory, "_data")).mode & 0o777).toBe(0o750);
    expect(readdirSync(directory)).toEqual(["_data"]);
  });

  test("anonymous ones go with the last container that has them, named ones stay", async () => {
    const [anonymous = "", named = ""] = prepare("one", {
      volume: ["named:/n", "/anon"],
    }).toReversed();
    expect(anonymous).toMatch(/^[0-9a-f]{64}$/);
    const point = {
      type: "volume",
      name: anonymous,
      anonymous: true,
      destination: "/anon",
      readonly: false,
      copyUp: true,
    } as const;
    const taken = planned({ volumesFrom: ["one"] }, [point]);
    prepareVolumes(app, taken, rowOf("two").id, undefined);
    const used = await stage.tsimg(["volume", "rm", "-f", named]);
    expect(used).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/'named' is in use by/),
    });
    release("one");
    expect(store.list().map(({ name }) => name)).toEqual([anonymous, "named"]);
    release("two", false);
    expect(store.find(anonymous)).toBeDefined();
    prepare("one", { volume: ["/again"] });
    release("one");
    expect(store.list().map(({ name }) => name)).toEqual([anonymous, "named"]);
    expect(readdirSync(app.paths.volumes).sort()).toEqual([anonymous, "named"]);
  });

  test("sources of --mount must be there, those of -v are made", () => {
    const missing = join(stage.root, "missing");
    const mount = [`type=bind,src=${missing},dst=/x`];
    expect(() => prepare("one", { mount })).toThrow(
      `bind source path does not exist: '${missing}'`,
    );
    prepare("one", { volume: [`${missing}/deep:/x`, `${victim}/secret:/s`, "./rel:/r"] });
    expect(lstatSync(join(missing, "deep")).isDirectory()).toBe(true);
    expect(lstatSync(join(stage.root, "rel")).isDirectory()).toBe(true);
    expect(readFileSync(join(victim, "secret"), "utf8")).toBe("secret");
    expect(() => prepare("one", { volume: [`${victim}/secret/below:/x`] })).toThrow(/ENOTDIR/);
    const part = (path: string) => [`src=parts,dst=/p,volume-subpath=${path}`];
    expect(() => prepare("one", { mount: part("a") })).toThrow(/can't mount 'a' of volume 'parts'/);
    mkdirSync(join(store.dataDirectory("parts"), "a"));
    prepare("one", { mount: part("a") });
  });

  test("docker's commands", async () => {
    const ls = (...flags: string[]) => stage.output("volume", "ls", ...flags);
    expect(await ls()).toBe("DRIVER   VOLUME NAME\n");
    expect(await stage.output("volume", "create", "--label", "a=1", "--label", "b", "web")).toBe(
      "web\n",
    );
    expect(await stage.output("volume", "create", "web")).toBe("web\n");
    const unnamed = (await stage.output("volume", "create")).trimEnd();
    expect(unnamed).toMatch(/^[0-9a-f]{64}$/);
    expect(await ls()).toBe(`DRIVER   VOLUME NAME\nlocal    ${unnamed}\nlocal    web\n`);
    expect(await ls("-q", "--filter", "label=a=1")).toBe("web\n");
    expect(await ls("--filter", "name=web", "--format", "{{.Name}} {{.Labels}} {{.Links}}")).toBe(
      "web a=1,b= 0\n",
    );
    const [web] = JSON.parse(await stage.output("volume", "inspect", "web"));
    expect(web).toEqual({
      CreatedAt: expect.stringMatching(/^\d{4}-/),
      Driver: "local",
      Labels: { a: "1", b: "" },
      Mountpoint: store.dataDirectory("web"),
      Name: "web",
      Options: null,
      Scope: "local",
    });
    const half = await stage.tsimg(["volume", "inspect", "-f", "{{.Name}}", "none", "web"]);
    expect(half).toMatchObject({
      status: 1,
      stdout: "web\n",
      stderr: expect.stringContaining("no such volume: 'none'"),
    });
    prepare("one", { volume: ["web:/w"] });
    expect(await ls("-q", "-f", "dangling=true")).toBe(`${unnamed}\n`);
    writeFileSync(join(store.dataDirectory(unnamed), "f"), Buffer.alloc(100_000, 1));
    expect(await stage.output("volume", "prune", "-f")).toMatch(
      new RegExp(`^Deleted Volumes:\n${unnamed}\n\nTotal reclaimed space: 1\\d\\dkB\n$`),
    );
    release("one");
    expect(await stage.output("volume", "prune", "-f", "--filter", "label=c")).toBe(
      "Total reclaimed space: 0B\n",
    );
    expect(await stage.output("volume", "prune", "-af")).toMatch(/^Deleted Volumes:\nweb\n/);
    expect((await stage.tsimg(["volume", "prune"])).stderr).toMatch(/say so with --force/);
    expect(await stage.tsimg(["volume", "rm", "none"])).toMatchObject({ status: 1 });
    expect(await stage.output("volume", "rm", "-f", "none")).toBe("none\n");
    for (const name of ["../x", "-x", "a/b", "", "x".repeat(256)])
      expect((await stage.tsimg(["volume", "create", "--", name])).stderr).toMatch(
        /invalid volume name/,
      );
    expect((await stage.tsimg(["volume", "create", "-o", "type=tmpfs", "t"])).stderr).toMatch(
      /'device' is missing/,
    );
    expect((await stage.tsimg(["volume", "nothing"])).stderr).toMatch(/no 'volume nothing'/);
  });

  test("bare directories are adopted, what dead processes began is undone", async () => {
    for (const name of ["bare", "begun", "leaving"])
      mkdirSync(join(app.paths.volumes, name, "_data"), { recursive: true });
    writeFileSync(join(app.paths.volumes, "leaving/_data/f"), "");
    mkdirSync(join(app.paths.volumes, "no volume"));
    const sql = "insert into volumes (name, state, owner, created) values (?, ?, ?, '')";
    app.database.run(sql, "begun", "creating", "1:2:another-boot");
    app.database.run(sql, "leaving", "removing", "1:2:another-boot");
    expect(await stage.output("volume", "ls", "-q")).toBe("bare\n");
    expect(readdirSync(app.paths.volumes).sort()).toEqual(["bare", "no volume"]);
    rmSync(join(app.paths.volumes, "no volume"), { recursive: true });
    expect(store.existing("bare")).toMatchObject({ anonymous: false, labels: {} });
  });

  test("many at once make and remove one name", async () => {
    const commands = Array.from({ length: 12 }, (_, n) =>
      stage.tsimg(["volume", n % 3 === 2 ? "rm" : "create", "busy"]),
    );
    for (const { status, stderr } of await Promise.all(commands))
      expect(status === 0 ? "" : stderr).toMatch(/^$|no such volume|just being removed|in use/);
    const { name } = store.create({ name: "busy", anonymous: false, labels: {}, options: {} });
    expect(existsSync(store.dataDirectory(name))).toBe(true);
  });
});
