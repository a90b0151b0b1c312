import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reason, Stage } from "./run-stage.ts";
import { onTerminal, terminalReason } from "./support/on-terminal.ts";

const LOOP = "while :; do sleep 0.02; done";

describe.skipIf(reason)(`what containers are asked about ${reason ?? ""}`, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const shell = (script: string) => [stage.tiny, "sh", "-c", script];

  test("ps --filter has docker's filters", async () => {
    const flags = ["-l", "team=web", "-l", "bare", "-v", "vol:/data", "--expose", "53/udp"];
    const check = ["--health-cmd", "true", "--health-interval", "1h"];
    await stage.output("run", "-d", "--name", "runs", ...flags, ...check, ...shell(LOOP));
    expect((await stage.tsimg(["run", "--name", "ended", ...shell("exit 3")])).status).toBe(3);
    const made = (await stage.output("create", "--name", "made", stage.tiny)).trimEnd();
    const names = async (...filters: string[]) => {
      const all = filters.flatMap((filter) => ["--filter", filter]);
      return (await stage.output("ps", "-a", ...all, "--format", "{{.Names}}")).trimEnd();
    };
    expect(await names("status=running")).toBe("runs");
    expect(await names("status=exited", "status=created")).toBe("made\nended");
    expect(await names("exited=3")).toBe("ended");
    expect(await names("exited=4")).toBe("");
    expect(await names("label=bare", "label=team=web")).toBe("runs");
    expect(await names("label=bare", "label=team=db")).toBe("");
    expect(await names("name=^e")).toBe("ended");
    expect(await names(`id=${made.slice(0, 10)}`)).toBe("made");
    expect(await names("volume=vol")).toBe("runs");
    expect(await names("volume=/data")).toBe("runs");
    expect(await names("expose=50-60/udp")).toBe("runs");
    expect(await names("expose=53")).toBe("");
    expect(await names("health=starting")).toBe("runs");
    expect(await names("health=none")).toBe("made\nended");
    expect(await names("network=none")).toBe("made\nended\nruns");
    expect(await names("before=ended")).toBe("runs");
    expect(await names("since=ended")).toBe("made");
    expect(await names(`ancestor=${stage.tiny}`, "status=exited")).toBe("ended");
    expect(await names("ancestor=no-such")).toBe("");
    expect(await stage.output("ps", "-q", "--filter", "status=exited")).not.toBe("");
    for (const wrong of ["color=red", "status=asleep", "exited=soon", "name=(", "expose=http"]) {
      const refused = await stage.tsimg(["ps", "--filter", wrong]);
      expect(refused).toMatchObject({ status: 1, stdout: "" });
    }
    const json = JSON.parse(await stage.output("ps", "--format", "json"));
    expect(json).toMatchObject({
      ...{ Labels: "team=web,bare=", Mounts: "vol", LocalVolumes: "1", Networks: "none" },
      Status: expect.stringContaining("(health: starting)"),
    });
    await stage.output("rm", "-f", "runs", "ended", "made");
  });

  test("logs --since and --until go by the time of the lines", async () => {
    const script = "echo early; sleep 1.2; echo late";
    await stage.output("run", "--name", "timed", ...shell(script)).catch(() => {});
    const timed = (await stage.output("logs", "-t", "timed")).trimEnd().split("\n");
    const late = timed[1]?.split(" ")[0] ?? "";
    const between = new Date(Date.parse(late) - 500).toISOString();
    expect(await stage.output("logs", "--since", between, "timed")).toBe("late\n");
    expect(await stage.output("logs", "--until", between, "timed")).toBe("early\n");
    expect(await stage.output("logs", "--since", "1h", "timed")).toBe("early\nlate\n");
    const wrong = await stage.tsimg(["logs", "--since", "noon", "timed"]);
    expect(wrong).toMatchObject({ status: 1, stdout: "" });
    await stage.output("rm", "timed");
  });

  test("inspect shows what was asked for", async () => {
    const flags = [
      ...["-v", "vol:/data:ro", "--tmpfs", "/scratch:size=1m", "--cap-add", "NET_ADMIN"],
      ...["--cap-drop", "MKNOD", "--ulimit", "nofile=100:200", "--device", "/dev/null:/dev/nil:r"],
      ...["--sysctl", "net.ipv4.ip_forward=1", "--security-opt", "no-new-privileges"],
      ...["--dns", "192.0.2.1", "--expose", "99", "--restart", "on-failure:3", "--shm-size", "1m"],
      ...["--pid", "host", "--ipc", "none", "-u", "1000", "--health-cmd", "true", "--init"],
    ];
    await stage.output(
      "create",
      "--name",
      "asked",
      "--entrypoint",
      "sh",
      ...flags,
      stage.tiny,
      "-c",
      "true",
    );
    expect(await stage.inspect("asked")).toMatchObject({
      HostConfig: {
        Binds: ["vol:/data:ro"],
        Tmpfs: { "/scratch": "size=1m" },
        ...{ CapAdd: ["NET_ADMIN"], CapDrop: ["MKNOD"], Init: true, Privileged: false },
        Ulimits: [{ Name: "nofile", Soft: 100, Hard: 200 }],
        Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/nil", CgroupPermissions: "r" }],
        Sysctls: { "net.ipv4.ip_forward": "1" },
        SecurityOpt: ["no-new-privileges"],
        Dns: ["192.0.2.1"],
        RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 },
        ...{ PidMode: "host", IpcMode: "none", UsernsMode: "" },
      },
      Config: {
        User: "1000",
        ExposedPorts: { "99/tcp": {} },
        Entrypoint: ["sh"],
        Cmd: ["-c", "true"],
        Healthcheck: { Test: ["CMD-SHELL", "true"], Interval: 30e9, Retries: 3 },
      },
    });
    await stage.output("rm", "asked");
    await stage.output("create", "--name", "plain", "--shm-size", "1m", stage.tiny);
    expect(await stage.inspect("plain")).toMatchObject({
      HostConfig: { Binds: null, CapAdd: null, ShmSize: 1024 ** 2, Ulimits: [] },
      Config: { User: "", Entrypoint: null, Cmd: ["sh"], Volumes: {} },
    });
    await stage.output("rm", "plain");
  });

  test("prune removes what doesn't run, and anonymous volumes when asked", async () => {
    const run = (name: string, ...flags: string[]) => ["run", "--name", name, ...flags];
    await stage.output(...run("kept", "-d", "-v", "/a"), ...shell(LOOP));
    await stage.output(...run("stopped", "-v", "/a", "-v", "named:/b"), ...shell("echo a >/c"));
    const stopped = (await stage.output("ps", "-aq", "--no-trunc", "-l")).trimEnd();
    const unasked = await stage.tsimg(["prune"]);
    expect(unasked).toMatchObject({ status: 1, stdout: "" });
    expect(unasked.stderr).toMatch(/all stopped containers[\s\S]*nobody has said yes\n.*--force/);
    const volumes = async () => (await stage.output("volume", "ls", "-q")).split("\n").length - 1;
    const before = await volumes();
    expect(await stage.output("prune", "-f")).toMatch(
      new RegExp(`^Deleted Containers:\n${stopped}\n\nTotal reclaimed space: [1-9].*B\n$`),
    );
    expect(await volumes()).toBe(before);
    expect(await stage.output("prune", "-f", "--volumes")).toMatch(
      /^Deleted Volumes:\n[0-9a-f]+\n/,
    );
    expect(await volumes()).toBe(before - 1);
    expect(await stage.output("ps", "-a", "--format", "{{.Names}}")).toBe("kept\n");
    await stage.output("rm", "-fv", "kept");
  });

  test("prunes of one kind take docker's filters", async () => {
    const create = (name: string, ...flags: string[]) =>
      stage.output("create", "--name", name, ...flags, stage.tiny);
    await create("plain");
    await create("kept", "-l", "keep=yes");
    await create("cached", "-l", "kind=cache");
    const left = async () => {
      return (await stage.output("ps", "-a", "--format", "{{.Names}}")).trimEnd().split("\n");
    };
    const prune = (...filters: string[]) => {
      const flags = filters.flatMap((filter) => ["--filter", filter]);
      return stage.output("container", "prune", "-f", ...flags);
    };
    expect(await prune("until=1h")).toBe("Total reclaimed space: 0B\n");
    await prune("label=kind=cache");
    expect(await left()).toEqual(["kept", "plain"]);
    expect(await stage.shell("echo n | $TSIMG container prune")).toMatchObject({ stdout: "" });
    await prune("label!=keep", "until=0s");
    expect(await left()).toEqual(["kept"]);
    const wrong = await stage.tsimg(["container", "prune", "-f", "--filter", "color=red"]);
    expect(wrong).toMatchObject({ status: 1, stdout: "" });

    await stage.output("network", "create", "--label", "keep", "blue");
    await stage.output("network", "create", "red");
    expect(await stage.output("network", "prune", "-f", "--filter", "label!=keep")).toBe(
      "Deleted Networks:\nred\n\n",
    );
    await stage.output("network", "rm", "blue");
    const asked = await stage.shell("echo y | $TSIMG container prune");
    expect(asked.stdout).toMatch(/^Deleted Containers:\n[0-9a-f]{64}\n/);
  });

  test("image prune leaves what has a name, with --all what a container is of", async () => {
    await stage.output("pull", "-q", stage.special);
    await stage.output("create", "--name", "user", stage.tiny);
    expect(await stage.output("image", "prune", "-f")).toBe("Total reclaimed space: 0B\n");
    expect(await stage.output("image", "prune", "-af", "--filter", "label=none")).toBe(
      "Total reclaimed space: 0B\n",
    );
    const id = (await stage.output("inspect", "-f", "{{.Id}}", stage.special)).trimEnd();
    const pruned = await stage.output("image", "prune", "-af");
    const lines = [`untagged: ${stage.special}`, `deleted: ${id}`];
    expect(pruned.startsWith(["Deleted Images:", ...lines, ""].join("\n"))).toBe(true);
    expect(pruned).toMatch(/\n\nTotal reclaimed space: [1-9][\d.]*MB\n$/);
    expect(await stage.output("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")).toBe(
      `${stage.tiny}\n`,
    );
    await stage.output("container", "rm", "user");
  });

  test.skipIf(terminalReason)("prune asks at a terminal", async () => {
    await stage.output("create", "--name", "there", stage.tiny);
    const answered = (answer: string) =>
      onTerminal(
        stage,
        ["prune"],
        [
          ["wait", "continue? [y/N] "],
          ["type", `${answer}\n`],
        ],
      );
    const refused = await answered("n");
    expect(refused).toContain("- all stopped containers");
    expect(refused).not.toContain("Deleted");
    expect(await answered("y")).toContain("Deleted Containers:");
    expect(await stage.output("ps", "-aq")).toBe("");
  });
});
