import { existsSync, readFileSync } from "node:fs";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { outcomeOf } from "../../fixtures/command.ts";
import { NetworkStage } from "../system/network-stage.ts";
import { groupsOf, reason as stageReason, TSIMG } from "../system/run-stage.ts";
import { lastingTraces } from "../system/support/leftovers.ts";
import { terminalWords } from "../system/support/on-terminal.ts";
import { missing } from "./requirements.ts";

const UNIFIED = "/sys/fs/cgroup/unified";
const reason = stageReason ?? missing(["runc", "crun", "ip", "nft", "python3", "unshare"]);

/** Ends with 9 when it is asked to. */
const OBEYS = 'trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done';

describe.skipIf(reason)(`containers by other runtimes ${reason ?? ""}`, () => {
  let world: NetworkStage;
  /** What `--runtime` names. */
  const names: Record<string, string> = { runc: "runc", tsimg: `${TSIMG}-runtime` };
  beforeAll(async () => {
    world = await NetworkStage.open();
    names["crun"] = await crunFor(world.stage.root);
  });
  afterEach(() => world.stage.shell("$TSIMG rm -f $($TSIMG ps -aq)"));
  afterAll(() => world?.[Symbol.asyncDispose]());

  /** This crun wants one version of cgroups alone, and containers need the first here. */
  async function crunFor(directory: string): Promise<string> {
    if (!existsSync(UNIFIED)) return "crun";
    const script = join(directory, "crun");
    const inner = `umount ${UNIFIED} && exec crun "$@"`;
    await writeFile(script, `#!/bin/sh\nexec unshare --mount sh -c '${inner}' sh "$@"\n`);
    await chmod(script, 0o755);
    return script;
  }

  // CVE-2017-1002101: another runtime follows the link to the host's directory.
  test("a part of a volume, where containers can put links, is not for others to mount", async () => {
    const { stage } = world;
    await stage.run(["-v", "linked:/v"], "mkdir /v/etc; ln -s /etc /v/part");
    const part = ["--mount", "type=volume,src=linked,dst=/x,volume-subpath=part"];
    const shown = (...flags: readonly string[]) =>
      stage.tsimg(["run", "--rm", ...flags, ...part, stage.tiny, "ls", "/x"]);
    expect(await shown()).toEqual({ status: 0, stdout: "", stderr: "" });
    const refused = await shown("--runtime", "runc");
    expect(refused).toMatchObject({ status: 125, stdout: "" });
    expect(refused.stderr).toContain("volume-subpath can't go with --runtime");
    await stage.output("volume", "rm", "linked");
  });

  describe.each(["runc", "crun", "tsimg"])("%s", (key) => {
    const flags = () => ["--runtime", names[key] ?? ""];

    test("passes output, input and status on, and leaves nothing", async () => {
      const { stage } = world;
      const words = ["run", "--rm", "-i", ...flags(), stage.tiny, "sh", "-c"];
      const outcome = await stage.tsimg([...words, "echo out; cat; echo err >&2; exit 5"], {
        input: "in\n",
      });
      expect(outcome).toEqual({ status: 5, stdout: "out\nin\n", stderr: "err\n" });
      expect(await stage.output("ps", "-aq")).toBe("");
      expect(await lastingTraces(stage.env["TSIMG_ROOT"] ?? "")).toEqual([]);
    });

    test("has a terminal", async () => {
      const { stage } = world;
      const line = [TSIMG, "run", "--rm", "-it", ...flags(), stage.tiny];
      const script = "test -t 0 && test -t 1 && tty; exit 3";
      const argv = [...terminalWords(), ...line, "sh", "-c", script];
      const said = (await outcomeOf(argv, { env: stage.env })).stdout.toString();
      expect(said).toContain("/dev/pts/0");
      expect(said).toContain("status 3");
    });

    test("is connected as other containers are", async () => {
      const { stage } = world;
      await world.start("other");
      await world.start("web", ...flags(), "-p", "18060:80");
      expect(await world.reaches("web", "other")).toBe(true);
      expect(await world.reaches("other", "web")).toBe(true);
      await world.serve({ container: "web" }, "web", 80);
      expect(await world.ask("neighbour", "tcp", world.host, 18_060)).toBe(
        `web ${world.neighbour}`,
      );
      expect((await stage.tsimg(["exec", "web", "sh", "-c", "hostname; exit 4"])).status).toBe(4);
      const sees = await world.within("web", "cat /proc/sys/net/ipv4/ip_unprivileged_port_start");
      expect(sees).toBe("0\n");
    });

    test("is paused, asked to stop, started again and looked into", async () => {
      const { stage } = world;
      await stage.output("run", "-d", "--name", "one", ...flags(), stage.tiny, "sh", "-c", OBEYS);
      await stage.until(async () => (await stage.output("logs", "one")) === "ready\n");
      await stage.output("pause", "one");
      expect((await stage.inspect("one")).State.Status).toBe("paused");
      await stage.output("unpause", "one");
      await stage.output("exec", "one", "touch", "/tmp/made");
      const copied = await stage.shell("$TSIMG cp one:/tmp - | tar -t");
      expect(copied.stdout).toContain("tmp/made");
      expect(await stage.output("top", "one")).toContain("sleep 0.05");
      await stage.output("stop", "one");
      expect(await stage.output("ps", "-a", "--format", "{{.Status}}")).toMatch(/^Exited \(9\)/);
      await stage.output("start", "one");
      expect(await stage.output("exec", "one", "ls", "/tmp")).toBe("made\n");
      await stage.output("kill", "one");
      await stage.until(async () => (await stage.inspect("one")).State.Status === "exited");
      await stage.output("rm", "one");
    });

    test("ends as docker's for a program that isn't there or can't be executed", async () => {
      const { stage } = world;
      const status = async (...words: string[]) => (await stage.tsimg(words)).status;
      const run = ["run", "--rm", ...flags()];
      expect(await status(...run, stage.tiny, "no-such")).toBe(127);
      expect(await status(...run, stage.tiny, "/no/such")).toBe(127);
      expect(await status(...run, stage.tiny, "/etc/passwd")).toBe(126);
      expect(await status(...run, "--init", stage.tiny, "no-such")).toBe(127);
      // Not the runtime's failure, whatever it is about.
      expect(await status(...run, stage.tiny, "sh", "-c", "ls /no/such; exit 1")).toBe(1);
      await stage.output("run", "-d", "--name", "one", ...flags(), stage.tiny, "sleep", "1000");
      await stage.until(async () => (await status("exec", "one", "true")) === 0);
      expect(await status("exec", "one", "no-such")).toBe(127);
      expect(await status("exec", "one", "/etc/passwd")).toBe(126);
    });

    test("--init reaps, and passes signals on", async () => {
      const { stage } = world;
      const zombies = 'grep -h "State:.Z" /proc/[0-9]*/status';
      const script = `(sleep 0.01 &); readlink /proc/1/exe; sleep 0.1; ${zombies}; exit 6`;
      const words = ["run", "--rm", "--init", ...flags(), stage.tiny, "sh", "-c", script];
      expect(await stage.tsimg(words)).toEqual({
        status: 6,
        stdout: "/run/tsimg-init\n",
        stderr: "",
      });
      await stage.output(
        "run",
        "-d",
        "--init",
        "--name",
        "one",
        ...flags(),
        stage.tiny,
        "sleep",
        "99",
      );
      await stage.until(async () => (await stage.tsimg(["exec", "one", "true"])).status === 0);
      await stage.output("stop", "one");
      expect(await stage.output("ps", "-a", "--format", "{{.Status}}")).toMatch(/^Exited \(143\)/);
    });

    test("ends when its launcher was killed and somebody looks", async () => {
      const { stage } = world;
      const store = stage.env["TSIMG_ROOT"] ?? "";
      const id = await world.start("dies", ...flags());
      await stage.output("exec", "dies", "true");
      const records = join(store, "run", id, "started.json");
      process.kill(JSON.parse(readFileSync(records, "utf8")).launcher, "SIGKILL");
      const status = () => stage.output("ps", "-a", "--format", "{{.Status}}");
      await stage.until(async () => (await status()).startsWith("Exited (137)"));
      expect(await lastingTraces(store)).toEqual([]);
      expect(groupsOf(id)).toEqual([]);
    });
  });

  test("what isn't there, or can't be done, is refused", async () => {
    const run = (...words: string[]) =>
      world.stage.tsimg(["run", "--rm", ...words, world.stage.tiny]);
    const unknown = await run("--runtime", "no-such");
    expect(unknown).toMatchObject({ status: 125 });
    expect(unknown.stderr).toContain("unknown or invalid runtime name: no-such");
    const mapped = await run("--runtime", "runc", "--userns", "private");
    expect(mapped).toMatchObject({ status: 125 });
    expect(mapped.stderr).toContain("a user namespace can't go with --runtime");
  });
});
