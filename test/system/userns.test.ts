import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { reason, Stage } from "./run-stage.ts";

const LOOP = "while :; do sleep 0.02; done";
const MAP = ["--uidmap", "0:300000:65536", "--gidmap", "0:400000:65536"];

describe.skipIf(reason)(`user namespaces ${reason ?? ""}`, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.output("pull", "-q", stage.tiny);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const says = async (flags: readonly string[], script: string) => {
    const { status, stdout, stderr } = await stage.run(flags, script);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return stdout;
  };
  const numbers = (text: string) => text.trim().split(/\s+/).map(Number);

  test("the maps are those asked for, and the image's owners are the container's", async () => {
    expect(numbers(await says(MAP, "cat /proc/self/uid_map"))).toEqual([0, 300_000, 65_536]);
    expect(numbers(await says(MAP, "cat /proc/self/gid_map"))).toEqual([0, 400_000, 65_536]);
    const owners =
      "stat -c %u:%g / /bin/busybox /etc/passwd /tmp; touch /x; chown 5:6 /x; stat -c %u:%g /x";
    expect(await says(MAP, owners)).toBe("0:0\n0:0\n0:0\n0:0\n5:6\n");
  });

  test("its root is nobody special on the host", async () => {
    const host = join(stage.root, "hosts");
    mkdirSync(host, { mode: 0o777 });
    const bind = ["-v", `${host}:/host`];
    await stage.shell(`chmod 777 ${host}`);
    await says([...MAP, ...bind], "touch /host/file; chown 7:8 /host/file");
    expect(statSync(join(host, "file"))).toMatchObject({ uid: 300_007, gid: 400_008 });
    await stage.shell(`echo secret >${host}/secret; chmod 600 ${host}/secret`);
    const read = await stage.run([...MAP, ...bind], "cat /host/secret");
    expect(read).toMatchObject({ status: 1, stdout: "" });
    const { status } = await stage.run([...MAP, "--privileged"], "echo 1 >/proc/sys/kernel/sysrq");
    expect(status).not.toBe(0);
  });

  test("the container that runs can be entered, joined, paused and started again", async () => {
    await stage.output("run", "-d", "--name", "mapped", ...MAP, stage.tiny, "sh", "-c", LOOP);
    const map = "300000";
    const shown = () => stage.output("exec", "mapped", "cat", "/proc/self/uid_map");
    expect(await shown()).toContain(map);
    expect(await stage.output("exec", "-u", "9", "mapped", "id", "-u")).toBe("9\n");
    const joined = ["--userns", "container:mapped", "--pid", "container:mapped"];
    expect(await says(joined, "cat /proc/self/uid_map; ps")).toMatch(/300000.*sleep 0.02/s);
    await stage.output("pause", "mapped");
    await stage.output("unpause", "mapped");
    await stage.output("exec", "mapped", "touch", "/kept");
    await stage.output("restart", "-t", "0", "mapped");
    expect(await stage.output("exec", "mapped", "stat", "-c", "%u", "/kept")).toBe("0\n");
    expect(await shown()).toContain(map);
    expect(await stage.inspect("mapped")).toMatchObject({ HostConfig: { UsernsMode: "private" } });
    await stage.output("rm", "-f", "mapped");
  });

  test("a volume's owners are the container's, mapped or not", async () => {
    await says([...MAP, "-v", "shared:/data"], "touch /data/a; chown 3:4 /data/a");
    expect(await says(["-v", "shared:/data"], "stat -c %u:%g /data/a")).toBe("3:4\n");
    await stage.output("volume", "rm", "shared");
  });

  test("private takes the first subordinate IDs, auto those that nobody has", async () => {
    const ranges = join(stage.root, "ranges");
    writeFileSync(ranges, "other:1:1\nsomebody:500000:3000\n");
    const names = "--subuidname somebody --subgidname somebody";
    const auto = `--userns auto:size=1000 ${names}`;
    const map = "cat /proc/self/uid_map";
    // In mounts of its own, so that the machine's ranges stay as they are.
    const script = `
      mount --bind ${ranges} /etc/subuid && mount --bind ${ranges} /etc/subgid
      $TSIMG run --rm --userns private:size=3000 ${names} ${stage.tiny} ${map}
      $TSIMG create --name first ${auto} ${stage.tiny} true >/dev/null
      $TSIMG create --name second ${auto} ${stage.tiny} true >/dev/null
      $TSIMG run --rm ${auto} ${stage.tiny} ${map}
      $TSIMG create --name third ${auto} ${stage.tiny} true >/dev/null
      $TSIMG run --rm ${auto} ${stage.tiny} ${map}`;
    writeFileSync(join(stage.root, "script"), script);
    const { stdout, stderr } = await stage.shell(`unshare -m sh ${join(stage.root, "script")}`);
    expect(stdout.trim().split("\n").map(numbers)).toEqual([
      [0, 500_000, 3000],
      [0, 502_000, 1000],
    ]);
    // Three thousand are taken by then.
    expect(stderr).toMatch(/^tsimg: .*\nhint: /);
    await stage.output("rm", "first", "second", "third");
  });

  test("few IDs are enough, one among them", async () => {
    expect(await says(["--uidmap", "0:300000:1"], "id -u; ls -ln /dev/null | wc -l")).toBe(
      "0\n1\n",
    );
    const outside = await stage.run(["--uidmap", "0:300000:1", "-u", "5"], "id");
    expect(outside).toMatchObject({ status: 125, stdout: "" });
  });

  test.each([
    [["--userns", "mine"], /unknown --userns "mine"/],
    [["--uidmap", "0:x"], /invalid mapping "0:x" in --uidmap/],
    [["--uidmap", "1:1000:5"], /has no root/],
    [["--uidmap", "0:1000:5", "--uidmap", "4:9000:5"], /ranges of --uidmap overlap/],
    [["--uidmap", "0:1000:5", "--userns", "host"], /don't go with --userns host/],
    [["--userns", "auto:size=0"], /invalid option "size=0"/],
    [["--userns", "auto", "--subuidname", "no-such-user"], /no range for "no-such-user"/],
    [["--userns", "container:no-such"], /no such container/],
  ])("%j is refused", async (flags, words) => {
    const refused = await stage.tsimg(["run", "--rm", ...flags, stage.tiny, "true"]);
    expect(refused).toMatchObject({ status: 125, stdout: "" });
    expect(refused.stderr).toMatch(words);
  });

  // Last: the image goes with them.
  test.each(["erofs", "vfs"])("an image on %s belongs to the container, too", async (driver) => {
    expect((await stage.tsimg(["pull", "-q", "--driver", driver, stage.tiny])).status).toBe(0);
    const owners = "stat -c %u:%g / /bin/busybox; touch /x; chown 5:6 /x; stat -c %u:%g /x";
    const said = await says(["--driver", driver, ...MAP], owners);
    expect(said).toBe("0:0\n0:0\n5:6\n");
    await stage.output("rmi", "-f", stage.tiny);
  });
});
