import { describe, expect, test } from "vitest";
import { outcomeOf } from "../../fixtures/command.ts";
import { hasBusybox } from "./support/busybox-image.ts";
import { deviceLimitCases } from "./support/device-limit-cases.ts";
import { limitCases } from "./support/limit-cases.ts";
import { LimitStage } from "./support/limit-stage.ts";

const reason =
  process.getuid?.() === 0 && hasBusybox() ? undefined : "(needs root and a static busybox)";

describe.skipIf(reason)(`limits ${reason ?? "with this machine's cgroups"}`, () => {
  limitCases();
  deviceLimitCases();
});

/** In a mount namespace of its own the machine has version 2 alone, if with few controllers. */
const VERSION_2_ALONE =
  'umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"';

describe.skipIf(reason)("with cgroup version 2 alone", () => {
  test("a program keeps a container from devices, and its group can be paused", async () => {
    await using stage = await LimitStage.open();
    const tsimg = async (...args: string[]) => {
      const words = ["unshare", "-m", "sh", "-c", VERSION_2_ALONE, "sh", ...stage.tsimg.argv(args)];
      const { status, stdout, stderr } = await outcomeOf(words);
      return { status, said: stdout.toString() + stderr };
    };
    const script =
      "busybox mknod /dev/mem c 1 1; busybox mknod /dev/loop c 10 237; : >/dev/null;" +
      " for name in mem loop; do (: </dev/$name) && echo $name opens; done";
    const run = ["run", "--rm"];
    const denied = await tsimg(...run, stage.image, "sh", "-c", script);
    expect(denied.said.match(/Operation not permitted/g)).toHaveLength(2);
    const rule = ["--device-cgroup-rule", "c 10:237 r"];
    const allowed = await tsimg(...run, ...rule, stage.image, "sh", "-c", script);
    expect(allowed.said).toContain("loop opens");
    expect(allowed.said.match(/mem: Operation not permitted/g)).toHaveLength(1);

    const started = await tsimg("run", "-d", stage.image, "sleep", "600");
    const id = started.said.trim();
    expect(await tsimg("pause", id)).toEqual({ status: 0, said: `${id}\n` });
    expect((await tsimg("pause", id)).said).toContain("already paused");
    expect(await tsimg("rm", "-f", id)).toEqual({ status: 0, said: `${id}\n` });
  });
});
