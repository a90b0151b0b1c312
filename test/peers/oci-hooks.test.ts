import { readlinkSync } from "node:fs";
import { chmod, cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outcomeOf } from "../../fixtures/command.ts";
import { HOOK_NAMES } from "../../src/oci/parse-hooks.ts";
import type { HookName } from "../../src/oci/runtime-spec.ts";
import { Stage, reason as stageReason, TSIMG } from "../system/run-stage.ts";
import { removeGroups } from "./cgroup.ts";
import { missing } from "./requirements.ts";

const OURS = `${TSIMG}-runtime`;
const SCRIPTS = join(import.meta.dirname, "oci-runtime");
const reason = stageReason ?? missing(["runc"]);

/** Not poststart: runc 1.1 runs it at the end of `create`. */
const HOOKS: readonly HookName[] = [
  "prestart",
  "createRuntime",
  "createContainer",
  "startContainer",
  "poststop",
];

const HOOKED = ["hooked", ...HOOKS.slice(0, 4).map((kind) => `fails-${kind}`)];

describe.skipIf(reason)(`hooks of a bundle ${reason ?? ""}`, () => {
  const groups = `oci-contract-hooks-${process.pid}`;
  const resources = new AsyncDisposableStack();
  let stage: Stage;
  let bundles: string;
  beforeAll(async () => {
    stage = resources.use(await Stage.open());
    resources.defer(() => removeGroups(groups));
    await stage.output("pull", "-q", stage.tiny);
    bundles = join(stage.root, "bundles");
    await mkdir(join(bundles, "log"), { recursive: true });
  });
  afterAll(() => resources.disposeAsync());

  /** What a script prints that is run with one runtime. */
  async function said(runtime: string, argv: readonly string[]): Promise<string> {
    const env = { ...process.env, TSIMG_ROOT: "/proc/no-store" };
    const { stdout } = await outcomeOf(argv, { env });
    return stdout.toString().replaceAll(runtime, "RUNTIME");
  }

  /** A bundle of which every hook writes down what it sees. */
  async function writeHooked(name: string, kinds: readonly HookName[] = HOOKS): Promise<string> {
    const directory = join(bundles, name);
    await stage.output("bundle", stage.tiny, directory, "true");
    const rootfs = join(directory, "rootfs");
    const script = join(SCRIPTS, "hook.sh");
    await cp(script, join(rootfs, "hook.sh"));
    const host = ["mnt", "pid", "net", "uts", "ipc"].map(
      (type) => `HOST_${type.toUpperCase()}=${readlinkSync(`/proc/self/ns/${type}`)}`,
    );
    const hook = (kind: HookName) => {
      const inside = kind === "startContainer";
      const env = [
        ...["PATH=/usr/bin:/bin", ...host, `MARKER=${script}`, `ROOTFS=${rootfs}`],
        `LOG=${inside ? "/log/log" : join(bundles, "log/log")}`,
        ...(kind === "createContainer" ? [`WRITES=${rootfs}/written`] : []),
        ...(name.endsWith(kind) ? ["STATUS=3"] : []),
      ];
      return { path: "/bin/sh", args: ["sh", inside ? "/hook.sh" : script, kind], env };
    };
    const types = ["pid", "mount", "network", "uts", "ipc"];
    const mount = (type: string) => ({ destination: `/${type}`, type, source: type });
    const spec = {
      ociVersion: "1.0.2",
      root: { path: "rootfs", readonly: true },
      process: {
        user: { uid: 1000, gid: 1000 },
        args: ["sh", "-c", "echo program as $(id -u) >>/log/log"],
        env: ["PATH=/bin"],
        cwd: "/tmp",
        noNewPrivileges: true,
      },
      annotations: { note: "noted" },
      mounts: [
        mount("proc"),
        {
          destination: "/log",
          type: "bind",
          source: join(bundles, "log"),
          options: ["bind"],
        },
      ],
      hooks: Object.fromEntries(kinds.map((kind) => [kind, [hook(kind)]])),
      linux: {
        namespaces: types.map((type) => ({ type })),
        cgroupsPath: `/${groups}/${name}`,
      },
    };
    await writeFile(join(directory, "config.json"), JSON.stringify(spec));
    return directory;
  }

  test("hooks: their order, what they are told and what they see", async () => {
    await Promise.all(HOOKED.map((name) => writeHooked(name)));
    const run = (runtime: string, name: string) =>
      said(runtime, ["sh", join(SCRIPTS, "hooks.sh"), runtime, join(stage.root, name), bundles]);
    const theirs = await run("runc", "hooks-runc");
    expect(theirs.match(/^(== .*|program.*)$/gm)?.slice(0, 6)).toEqual([
      "== prestart",
      "== createRuntime",
      "== createContainer",
      "== startContainer",
      "program as 1000",
      "== poststop",
    ]);
    expect(await run(OURS, "hooks-ours")).toBe(theirs);
  });

  /** `run` of a bundle by our runtime, and the headings of what was written meanwhile. */
  async function run(directory: string) {
    const log = join(bundles, "log/log");
    await rm(log, { force: true });
    await writeFile(log, "");
    await chmod(log, 0o666);
    const argv = [OURS, "--root", join(stage.root, "run"), "run", "-b", directory, "one"];
    const { status, stderr } = await outcomeOf(argv);
    const lines = (await readFile(log, "utf8")).match(/^(== .*|program.*|state: one running)/gm);
    return { status, stderr, lines };
  }

  test("run: all kinds have their time, with poststart behind the program's beginning", async () => {
    const { status, lines } = await run(await writeHooked("run", HOOK_NAMES));
    expect(status).toBe(0);
    const kinds = (lines ?? []).filter((line) => line.startsWith("== "));
    expect(kinds).toEqual(HOOK_NAMES.map((kind) => `== ${kind}`));
    expect(lines?.indexOf("== startContainer")).toBeLessThan(
      lines?.indexOf("program as 1000") ?? 0,
    );
  });

  test("run: what fails is named, with its status or what was wrong, and ends the container", async () => {
    const failing = await run(await writeHooked("run-fails-createContainer"));
    expect(failing.status).toBe(1);
    expect(failing.stderr).toContain('createContainer hook "/bin/sh" failed: status 3\n');
    expect(failing.lines).not.toContain("program as 1000");
    const directory = await writeHooked("strange");
    const saysWith = async (hooks: object) => {
      const path = join(directory, "config.json");
      const spec = JSON.parse(await readFile(path, "utf8"));
      await writeFile(path, JSON.stringify({ ...spec, hooks }));
      return (await run(directory)).stderr;
    };
    const slow = { path: "/bin/sh", args: ["sh", "-c", "sleep 1000"], timeout: 1 };
    expect(await saysWith({ createRuntime: [slow] })).toContain(
      'createRuntime hook "/bin/sh" failed: connection timed out\n',
    );
    expect(await saysWith({ startContainer: [{ path: "/no/such" }] })).toContain(
      'startContainer hook "/no/such" failed: no such file or directory\n',
    );
    expect(await saysWith({ prestart: [{ path: "sh" }] })).toContain(
      "config.json: hooks.prestart[0].path is not an absolute path",
    );
  });
});
