import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, hostname } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reason, Stage } from "./run-stage.ts";

describe.skipIf(reason)(`tsimg run ${reason ?? ""}`, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
    await stage.output("pull", "-q", stage.special);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  /** What a script prints, that must succeed in silence. */
  async function shown(flags: readonly string[], script: string): Promise<string> {
    const { status, stdout, stderr } = await stage.run(flags, script);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return stdout.trimEnd();
  }

  async function refused(flags: readonly string[], words: RegExp, status = 125): Promise<void> {
    const outcome = await stage.run(flags, "echo ran");
    expect(outcome).toMatchObject({ status, stdout: "" });
    expect(outcome.stderr).toMatch(/^tsimg: /);
    expect(outcome.stderr).toMatch(words);
  }

  describe("command line", () => {
    test("options after the image are the command's", async () => {
      const echo = await stage.output("run", "--rm", stage.tiny, "echo", "-n", "--rm", "-it");
      expect(echo).toBe("--rm -it");
      const dashes = await stage.tsimg(["run", "--rm", stage.tiny, "-c", "ls"]);
      expect(dashes.status).toBe(127);
      expect(dashes.stderr).toBe('tsimg: exec: "-c": executable file not found in $PATH\n');
    });

    test("short flags are joined, with and without values", async () => {
      const script = "cat; echo $A $B; cat /sys/fs/cgroup/memory*/memory.limit_in_bytes 2>&-; :";
      const args = ["-ieA=1", "-m64m", "-eB=2", "--env=B=3", stage.tiny, "sh", "-c", script];
      const { stdout, status } = await stage.tsimg(["run", "--rm", ...args], { input: "in\n" });
      expect({ stdout, status }).toMatchObject({
        stdout: expect.stringMatching(/^in\n1 3\n/),
        status: 0,
      });
    });

    test("--entrypoint replaces program and command, an empty one the entrypoint alone", async () => {
      const run = (...args: string[]) => stage.output("run", "--rm", ...args);
      expect(await run("--entrypoint", "/bin/echo", stage.tiny, "a", "b")).toBe("a b\n");
      expect(await run("--entrypoint", "pwd", stage.tiny)).toBe("/\n");
      expect(await run("--entrypoint", "", stage.tiny, "echo", "c")).toBe("c\n");
      const none = await stage.tsimg(["run", "--rm", "--entrypoint", "", stage.tiny]);
      expect(none).toMatchObject({ status: 125, stderr: expect.stringContaining("no command") });
    });

    test("--explain prints every system call, then starts", async () => {
      const { status, stdout, stderr } = await stage.run(["--explain"], "echo ran");
      expect({ status, stdout }).toEqual({ status: 0, stdout: "ran\n" });
      for (const call of ["pivot_root(", "seccomp(", "capset(", "execve("])
        expect(stderr).toContain(call);
    });
  });

  describe("environment", () => {
    test("image, files and flags in this order; a name alone takes the caller's", async () => {
      const file = join(stage.root, "env");
      writeFileSync(file, "# comment\nA=file\nB=file with spaces\nCALLER\n\nABSENT\n");
      const flags = ["--env-file", file, "-e", "A=flag", "-e", "HERE", "-e", "GONE"];
      const args = ["run", "--rm", ...flags, stage.tiny, "env"];
      const env = { CALLER: "caller's", HERE: "", GONE: undefined };
      const { stdout } = await stage.tsimg(args, { env });
      expect(stdout.replace(/^HOSTNAME=[0-9a-f]{12}\n/m, "")).toBe(
        "PATH=/bin\nA=flag\nB=file with spaces\nCALLER=caller's\nHERE=\nHOME=/root\n",
      );
      await refused(["--env-file", "/no/such/file"], /--env-file.*'\/no\/such\/file'.*ENOENT/);
    });

    test("-w is made where it is missing; a relative one is refused", async () => {
      expect(await shown(["-w", "/made/deep"], "pwd; stat -c %a .")).toBe("/made/deep\n755");
      await refused(["-w", "relative"], /"relative" is not an absolute path/);
    });

    test("-u takes names and numbers of the image's own users", async () => {
      const id = async (user: string) =>
        stage.output("run", "--rm", "-u", user, stage.special, "sh", "-c", "id; echo $HOME");
      expect(await id("user")).toMatch(/^uid=1000\(user\) gid=1000.*\n\/home\/user\n$/);
      expect(await id("1000:0")).toMatch(/^uid=1000\(user\) gid=0/);
      expect(await id("4242")).toMatch(/^uid=4242 gid=0.*\n\/\n$/);
      expect(await id("77:88")).toMatch(/^uid=77 gid=88 groups=88\n/);
      await refused(["-u", "nobody-here"], /unknown user "nobody-here".*\/etc\/passwd/);
    });

    test("--hostname shows in the kernel, in /etc/hostname and in the environment", async () => {
      const script = "hostname; cat /etc/hostname; echo $HOSTNAME";
      expect(await shown(["--hostname", "box.test"], script)).toBe("box.test\nbox.test\nbox.test");
      await refused(["--hostname", "not a name"], /invalid hostname/);
    });
  });

  describe("mounts", () => {
    test("-v binds directories and files, makes what is missing, and keeps :ro", async () => {
      const source = join(stage.root, "missing/source");
      await shown(["-v", `${source}:/data/deep`], "echo text >/data/deep/file");
      expect(readFileSync(join(source, "file"), "utf8")).toBe("text\n");

      const ro = ["-v", `${source}:/data:ro`];
      const { status, stdout, stderr } = await stage.run(ro, "cat /data/file; touch /data/new");
      expect({ status, stdout }).toEqual({ status: 1, stdout: "text\n" });
      expect(stderr).toContain("Read-only file system");

      const file = ["-v", `${join(source, "file")}:/etc/one-file`];
      expect(await shown(file, "cat /etc/one-file; echo more >>/etc/one-file")).toBe("text");
      expect(readFileSync(join(source, "file"), "utf8")).toBe("text\nmore\n");
    });

    test("-v keeps a named volume between containers", async () => {
      await shown(["-v", "kept:/data"], "echo text >/data/file");
      expect(await shown(["-v", "kept:/elsewhere:ro"], "cat /elsewhere/file")).toBe("text");
    });

    test("-v refuses what makes no sense", async () => {
      await refused(["-v", "/x:relative"], /"relative" is not an absolute path/);
      await refused(["-v", "/x:/"], /the destination can't be "\/"/);
      await refused(["-v", "/x:/y:sideways"], /unknown option "sideways"/);
      await refused(["-v", "/x:/y", "--tmpfs", "/y"], /two mounts for "\/y"/);
    });

    test("a symbolic link can't lead a mount out of the container", async () => {
      const name = `inside-${basename(stage.root)}`;
      await shown(["-v", "links:/vol"], "ln -s /tmp /vol/link");
      const flags = ["-v", "links:/vol", "--tmpfs", `/vol/link/${name}`];
      expect(
        await shown(flags, `grep -q " /tmp/${name} " /proc/mounts && echo in the container`),
      ).toBe("in the container");
      expect(existsSync(join("/tmp", name))).toBe(false);
    });

    test("--tmpfs has its size, and is noexec unless told", async () => {
      const flags = ["--tmpfs", "/t:size=1m,mode=700", "--tmpfs", "/n", "--tmpfs", "/x:exec"];
      const script =
        "stat -fc %T /t; stat -c %a /t; dd if=/dev/zero of=/t/a bs=1M count=2 2>&1 | grep -o 'No space.*';" +
        " for d in /n /x; do cp /bin/busybox $d/true; $d/true 2>&-; echo $?; done";
      expect(await shown(flags, script)).toBe("tmpfs\n700\nNo space left on device\n126\n0");
    });

    test("--read-only leaves tmpfs and volumes writable", async () => {
      const flags = ["--read-only", "--tmpfs", "/tmp", "-v", "kept:/data"];
      const script =
        "touch /file /etc/file 2>&-; echo $?; touch /tmp/a /data/a /dev/shm/a; echo $?";
      expect(await shown(flags, script)).toBe("1\n0");
    });
  });

  describe("limits", () => {
    /** A control file of this container, on cgroup v1 and v2. */
    const control = (v1: string, v2: string) =>
      `cat /sys/fs/cgroup/${v1} 2>/dev/null || cat /sys/fs/cgroup/${v2}`;

    test("--memory kills what takes more: status 137, OOMKilled in inspect", async () => {
      const script = "x=0123456789abcdef; while :; do x=$x$x; done";
      const args = ["run", "--name", "oom", "--memory", "16m", stage.tiny, "sh", "-c", script];
      expect((await stage.tsimg(args)).status).toBe(137);
      const { State, HostConfig } = await stage.inspect("oom");
      expect(State).toMatchObject({ OOMKilled: true, ExitCode: 137, Status: "exited" });
      expect(HostConfig).toMatchObject({ Memory: 16 * 1024 * 1024 });
      await stage.output("rm", "oom");
      await refused(["-m", "1m"], /less than 6m/);
      await refused(["-m", "lots"], /invalid size "lots" in --memory/);
    });

    test("--cpus, --cpu-shares, --cpuset-cpus and --pids-limit are set", async () => {
      const quota = control("cpu/cpu.cfs_quota_us", "cpu.max");
      expect(await shown(["--cpus", "0.5"], quota)).toMatch(/^50000( 100000)?$/);
      const shares = control("cpu/cpu.shares", "cpu.weight");
      expect(await shown(["--cpu-shares", "512"], shares)).toMatch(/^(512|20|59)$/);
      const last = String(cpus().length - 1);
      const allowed = "grep Cpus_allowed_list /proc/self/status | cut -f2";
      expect(await shown(["--cpuset-cpus", last], allowed)).toBe(last);
      const forks = "for i in 1 2 3 4 5 6 7 8; do sleep 1 & done 2>&1; true";
      const few = await stage.run(["--pids-limit", "5"], forks);
      expect(few.stdout + few.stderr).toMatch(/can't fork/);
      await refused(["--cpus", "none"], /invalid number of CPUs/);
      await refused(["--cpuset-cpus", "9-1"], /invalid CPU list/);
    });
  });

  describe("isolation", () => {
    test("--network none has a loopback alone, host the machine's", async () => {
      const devices = "cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' '";
      expect(await shown([], devices)).toBe("lo");
      expect(await shown(["--network", "none"], `${devices}; ip addr show lo | grep -c UP`)).toBe(
        "lo\n1",
      );
      expect(await shown(["--network=host"], "hostname; readlink /proc/self/ns/net")).toMatch(
        new RegExp(`^${hostname()}\n`),
      );
      await refused(["--network", "no-such"], /network "no-such" not found/);
    });

    const effective = "grep CapEff /proc/self/status | cut -f2";
    test("--cap-add and --cap-drop change docker's set", async () => {
      expect(await shown([], effective)).toBe("00000000a80425fb");
      expect(await shown(["--cap-drop", "ALL"], effective)).toBe("0000000000000000");
      const one = ["--cap-drop", "all", "--cap-add", "chown"];
      expect(await shown(one, effective)).toBe("0000000000000001");
      expect(await shown(["--cap-add", "CAP_SYS_TIME"], effective)).toBe("00000000aa0425fb");
      const drop = await stage.run(["--cap-drop", "CHOWN"], "touch /f; chown 1 /f");
      expect(drop.stderr).toContain("Operation not permitted");
      await refused(["--cap-add", "FLY"], /unknown capability "FLY" in --cap-add/);
    });

    test("--privileged may mount and sees devices; others may not", async () => {
      const script =
        "mkdir /m; mount -t tmpfs none /m && echo mounted; test -e /dev/kmsg && echo dev";
      expect(await shown(["--privileged"], script)).toBe("mounted\ndev");
      const { stdout, stderr } = await stage.run([], script);
      expect(stdout).toBe("");
      expect(stderr).toMatch(/permission denied|not permitted/i);
    });

    test("--security-opt sets no_new_privs and seccomp", async () => {
      const status = "grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status | cut -f2 | tr '\\n' ' '";
      expect(await shown([], status)).toBe("0 2");
      expect(await shown(["--security-opt", "no-new-privileges"], status)).toBe("1 2");
      expect(await shown(["--security-opt", "seccomp=unconfined"], status)).toBe("0 0");
      const profile = join(stage.root, "profile.json");
      const denied = { names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 13 };
      writeFileSync(
        profile,
        JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls: [denied] }),
      );
      const own = await stage.run(["--security-opt", `seccomp=${profile}`], "mkdir /dir");
      expect(own.stderr).toContain("Permission denied");
      await refused(["--security-opt", "nonsense"], /unknown --security-opt "nonsense"/);
    });

    test("--init reaps orphans and passes the status on", async () => {
      const script =
        "cat /proc/1/comm; orphan=$(sh -c 'sleep 0.05 >/dev/null & echo $!'); sleep 0.2;" +
        " test -e /proc/$orphan && echo zombie; exit 9";
      const { status, stdout } = await stage.run(["--init"], script);
      expect({ status, stdout }).toEqual({ status: 9, stdout: "tsimg-init\n" });
    });

    test("nothing of the host is open, and /proc shows the container alone", async () => {
      expect(await shown([], "ls /proc/self/fd | wc -l; cd /proc; echo [0-9]*")).toBe("4\n1");
    });
  });

  describe("an image's special files", () => {
    const inSpecial = (...args: string[]) => stage.output("run", "--rm", ...args);

    test("a setuid program runs as its owner", async () => {
      // Of busybox, only the programs that need to be setuid stay so, and say when they aren't.
      const script = (program: string) =>
        `ln ${program} /crontab; busybox su -s /bin/sh user -c '/crontab -l' 2>&1; true`;
      const said = (flags: string[], program: string) =>
        inSpecial(...flags, stage.special, "sh", "-c", script(program));
      expect(await said([], "/bin/busybox")).toContain("must be suid");
      expect(await said([], "/usr/bin/setuid")).toMatch(/can't change directory/);
      const held = ["--security-opt", "no-new-privileges"];
      expect(await said(held, "/usr/bin/setuid")).toContain("must be suid");
    });

    test("a program with cap_setuid=ep has that capability and no other", async () => {
      const script =
        "ln /usr/bin/capable /grep; busybox su -s /bin/sh user -c '/grep Cap /proc/self/status'";
      const shownCaps = await inSpecial(stage.special, "sh", "-c", script);
      expect(shownCaps).toMatch(/^CapPrm:\t0000000000000080$/m);
      expect(shownCaps).toMatch(/^CapEff:\t0000000000000080$/m);
    });

    test("device nodes and names that aren't UTF-8 are right", async () => {
      const script =
        "stat -c '%F %t:%T' /usr/share/null-copy; echo gone >/usr/share/null-copy; cd /etc; echo latin1-* | od -An -tx1; cat latin1-*";
      expect(await inSpecial(stage.special, "sh", "-c", script)).toBe(
        "character special file 1:3\n 6c 61 74 69 6e 31 2d e9 ff 0a\ntext",
      );
    });
  });
});
