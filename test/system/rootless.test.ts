import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { outcomeOf } from "../../fixtures/command.ts";
import { reason, Stage, TSIMG } from "./run-stage.ts";
import { absentForUser, OrdinaryUser } from "./support/ordinary-user.ts";

const NAME = "tsimg-tester";
const why = reason ?? absentForUser("pasta", "slirp4netns");

/** The first of the user's subordinate IDs, from the files that useradd writes. */
function firstSubordinate(file: string): number {
  const line = readFileSync(file, "utf8")
    .split("\n")
    .find((one) => one.startsWith(`${NAME}:`));
  return Number(line?.split(":")[1]);
}

describe.skipIf(why)(`an ordinary user ${why ?? ""}`, () => {
  let stage: Stage;
  let ordinary: OrdinaryUser;
  let home: string;
  let uid: number;

  beforeAll(async () => {
    stage = await Stage.open();
    spawnSync("chmod", ["711", stage.root]);
    ordinary = new OrdinaryUser(NAME, join(stage.root, "home"));
    ({ home, uid } = ordinary);
  });

  afterAll(async () => {
    ordinary?.[Symbol.dispose]();
    await stage?.[Symbol.asyncDispose]();
  });

  afterEach(() => {
    const left = user("ps", "-aq")
      .stdout.split("\n")
      .filter((id) => id !== "");
    if (left.length > 0) user("rm", "-f", ...left);
  });

  const user = (...args: readonly string[]): SpawnSyncReturns<string> => ordinary.tsimg(...args);

  function says(...args: readonly string[]): string {
    const { status, stdout, stderr } = user(...args);
    expect({ args, status, stderr }).toEqual({ args, status: 0, stderr: "" });
    return stdout;
  }

  test("pulls and runs; the store is in the home directory", () => {
    expect(user("pull", "--plain-http", stage.tiny).status).toBe(0);
    expect(says("run", "--rm", stage.tiny, "id", "-u")).toBe("0\n");
    expect(readdirSync(join(home, ".local/share/tsimg"))).toContain("tsimg.db");
    expect(lstatSync(join(home, ".local/share/tsimg/tsimg.db")).uid).toBe(uid);
  });

  test("an image with owners beyond the subordinate IDs is refused, and why is said", () => {
    const { status, stderr } = user("pull", "--plain-http", stage.special);
    expect(status).toBe(1);
    expect(stderr).toContain("its owner is beyond your subordinate IDs");
  });

  test("what a container makes belongs to the user and to the subordinate IDs", () => {
    const shared = join(home, "shared");
    mkdirSync(shared);
    chownSync(shared, uid, uid);
    const script = "touch /s/root /s/other; chown 7:8 /s/other; ls -n /s | awk '{print $3, $4}'";
    const seen = says("run", "--rm", "-v", `${shared}:/s`, stage.tiny, "sh", "-c", script);
    expect(seen).toContain("7 8");
    const owner = (name: string) => {
      const { uid: one, gid: two } = lstatSync(join(shared, name));
      return [one, two];
    };
    expect(owner("root")).toEqual([uid, uid]);
    const [uids, gids] = [firstSubordinate("/etc/subuid"), firstSubordinate("/etc/subgid")];
    expect(owner("other")).toEqual([uids + 6, gids + 7]);
  });

  test("a write outside is refused, as are the host's own settings", () => {
    const outside = join(stage.root, "root-only");
    mkdirSync(outside, { mode: 0o755 });
    writeFileSync(join(outside, "file"), "root's");
    const script =
      "echo x > /o/file; mount -t tmpfs none /mnt; echo 1 > /proc/sys/kernel/panic; echo done";
    const run = user("run", "--rm", "-v", `${outside}:/o`, stage.tiny, "sh", "-c", script);
    expect(run.stderr).toContain("can't create /o/file: Permission denied");
    expect(run.stdout).toBe("done\n");
    expect(readFileSync(join(outside, "file"), "utf8")).toBe("root's");
  });

  test("a container in the background is listed, entered, stopped by commands that come later", () => {
    says("run", "-d", "--name", "web", "--network", "none", stage.tiny, "sleep", "1000");
    expect(says("ps", "--format", "{{.Names}} {{.State}}")).toBe("web running\n");
    expect(says("exec", "web", "sh", "-c", "id -u; hostname")).toMatch(/^0\n[0-9a-f]{12}\n$/);
    expect(says("exec", "--user", "5:6", "web", "id")).toMatch(/^uid=5 gid=6/);
    const joined = ["run", "--rm", "--network", "none", "--pid", "container:web", stage.tiny];
    expect(says(...joined, "sh", "-c", "ps; readlink /proc/self")).toMatch(
      /sleep 1000[\s\S]*\n\d+\n$/,
    );
    expect(says("stop", "-t", "0", "web")).toBe("web\n");
    expect(says("start", "web")).toBe("web\n");
    expect(says("inspect", "--format", "{{.State.Status}}", "web")).toBe("running\n");
  });

  test.each(["pasta", "slirp4netns"])("%s connects it", (program) => {
    const script = "ip route | grep -c default; ip addr | grep -c 'inet .*global'";
    const flags = ["run", "--rm", "--network", program];
    expect(says(...flags, stage.tiny, "sh", "-c", script)).toBe("1\n1\n");
  });

  test("pasta leads nowhere on the host's loopback", async () => {
    const server = createServer((socket) => socket.end("host\n"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const gateway = "$(ip route | awk '/default/ { print $3 }')";
    const seen = async (...words: readonly string[]) => {
      const [program, ...args] = ordinary.argv(...words);
      return (await outcomeOf([program, ...args])).stdout.toString();
    };
    const script = `sleep 1 | nc -w 2 ${gateway} ${port} 2>&1; true`;
    const ours = [TSIMG, "run", "--rm", "--network", "pasta", stage.tiny, "sh", "-c", script];
    expect(await seen(...ours)).toBe("nc: timed out\n");
    // What it does by default.
    const closed = ["-t", "none", "-u", "none", "-T", "none", "-U", "none"];
    const asked = `cat </dev/tcp/${gateway}/${port}`;
    const weak = ["pasta", "--config-net", "--quiet", ...closed, "--", "bash", "-c", asked];
    expect(await seen(...weak)).toBe("host\n");
    server.close();
  });

  test("one process keeps the namespaces, however many commands begin at once", () => {
    ordinary.kill();
    const script = `for i in 1 2 3 4 5; do ${TSIMG} run --rm --network none ${stage.tiny} echo ok & done; wait`;
    const { stdout, stderr } = ordinary.spawn("sh", "-c", script);
    expect({ stdout, stderr }).toEqual({ stdout: "ok\n".repeat(5), stderr: "" });
    const holders = spawnSync("pgrep", ["-c", "-r", "S", "-u", String(uid)], { encoding: "utf8" });
    expect(holders.stdout).toBe("1\n");
  });

  test("without subordinate IDs there is root alone, and that is said", () => {
    ordinary.kill();
    const files = ["/etc/subuid", "/etc/subgid"].map(
      (path) => [path, readFileSync(path, "utf8")] as const,
    );
    try {
      for (const [path, text] of files)
        writeFileSync(path, text.replace(new RegExp(`^${NAME}:.*\n`, "m"), ""));
      const root = join(home, "single");
      const pull = user("--root", root, "pull", "--plain-http", stage.tiny);
      expect(pull.stderr).toContain(`no line for "${NAME}"`);
      expect(pull.status).toBe(0);
      const flags = ["--root", root, "run", "--rm", "--network", "none", stage.tiny];
      expect(says(...flags, "sh", "-c", "id -u; cat /proc/self/uid_map")).toMatch(
        new RegExp(`^0\\n\\s+0\\s+${uid}\\s+1\\n$`),
      );
    } finally {
      for (const [path, text] of files) writeFileSync(path, text);
      ordinary.kill();
    }
  });
});
