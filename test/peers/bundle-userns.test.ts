import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { outcomeOf } from "../../fixtures/command.ts";
import { Stage, reason as stageReason, TSIMG } from "../system/run-stage.ts";
import { removeGroups } from "./cgroup.ts";
import { missing } from "./requirements.ts";

const reason = stageReason ?? missing(["runc", "crun"]);
const UNIFIED = "/sys/fs/cgroup/unified";
const SCRIPT = `id -u; touch /made && stat -c '%u %n' /made /bin /etc/hosts /etc/resolv.conf; awk '{print $1, $2, $3}' /proc/self/uid_map`;

test.skipIf(reason)(
  `a bundle with mapped users is theirs, whoever runs it ${reason ?? ""}`,
  async () => {
    const groups = `bundle-userns-${process.pid}`;
    await using resources = new AsyncDisposableStack();
    const stage = resources.use(await Stage.open());
    resources.defer(() => removeGroups(groups));
    await stage.output("pull", "-q", stage.tiny);
    // The mapped root has to get there.
    chmodSync(stage.root, 0o711);
    const bundle = join(stage.root, "mapped");
    const map = ["--uidmap", "0:100000:65536"];
    await stage.output("bundle", ...map, stage.tiny, bundle, "sh", "-c", SCRIPT);
    const config = join(bundle, "config.json");
    const spec = JSON.parse(readFileSync(config, "utf8"));
    spec.linux.cgroupsPath = `/${groups}/mapped`;
    writeFileSync(config, JSON.stringify(spec));
    const owners = ["/made", "/bin", "/etc/hosts", "/etc/resolv.conf"].map((path) => `0 ${path}`);
    const expected = ["0", ...owners, "0 100000 65536", ""].join("\n");
    for (const runtime of ["runc", "crun", `${TSIMG}-runtime`]) {
      const state = join(stage.root, "state");
      // crun takes no machine with cgroups of both versions.
      const before = `${existsSync(UNIFIED) ? `umount ${UNIFIED} && ` : ""}exec "$@"`;
      const argv = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        runtime === "crun" ? before : 'exec "$@"',
        "sh",
      ];
      const words = [runtime, "--root", state, "run", "--bundle", bundle, "mapped"];
      // Not the machine's /dev/null, of which crun would make the mapped root the owner.
      const { status, stdout } = await outcomeOf([...argv, ...words], { input: "\n" });
      expect([runtime, status, stdout.toString()]).toEqual([runtime, 0, expected]);
    }
  },
);
