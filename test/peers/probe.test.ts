import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outputOf } from "../../fixtures/command.ts";
import { buildProbe } from "../../fixtures/probe/build-probe.ts";
import { Stage, reason as stageReason, TSIMG } from "../system/run-stage.ts";
import { terminalWords } from "../system/support/on-terminal.ts";
import { removeGroups } from "./cgroup.ts";
import { bundleOf } from "./probe/bundle.ts";
import {
  DIFFERENCES,
  type Difference,
  explains,
  PEERS,
  type Peer,
  unexplained,
} from "./probe/differences.ts";
import { contrasts, type Facts, hostNamespaces, parseFacts } from "./probe/facts.ts";
import { FLAG_SETS, ODD_CALLER } from "./probe/flag-sets.ts";
import { missing } from "./requirements.ts";

const UNIFIED = "/sys/fs/cgroup/unified";
const hasVersion1 = existsSync("/sys/fs/cgroup/memory/tasks");
const reason = stageReason ?? missing(["gcc", "runc", "crun", "python3"]);

/** Who starts the container, where it isn't this process. */
const CALLERS: ReadonlyMap<string, readonly string[]> = new Map([
  ["terminal", [...terminalWords(), "/usr/bin/env"]],
  ["odd caller", ODD_CALLER],
]);

/** This crun wants one version of cgroups alone, and containers need the first here. */
function before(peer: Peer): readonly string[] {
  if (peer !== "crun" || !existsSync(UNIFIED)) return [];
  return ["unshare", "--mount", "sh", "-c", `umount ${UNIFIED} && exec "$@"`, "sh"];
}

describe.skipIf(reason)(`a container against runc's and crun's ${reason ?? ""}`, () => {
  const resources = new AsyncDisposableStack();
  const groups = `tsimg-probe-${process.pid}`;
  const met = new Set<Difference>();
  let stage: Stage;
  let probe: string;

  beforeAll(async () => {
    stage = resources.use(await Stage.open());
    resources.defer(() => removeGroups(groups));
    await mkdir(join(stage.root, "program"));
    probe = await buildProbe(join(stage.root, "program"));
    await stage.output("pull", "-q", stage.tiny);
    // What it opens first makes the kernel load modules, and gives the host new devices.
    const volume = ["-v", `${dirname(probe)}:/probe:ro`];
    await stage.output("run", "--rm", "--privileged", ...volume, stage.tiny, "/probe/probe");
  });
  afterAll(() => resources.disposeAsync());

  /** What the probe sees when this runs it, started as the set of flags wants it. */
  async function factsOf(argv: readonly string[], set = ""): Promise<Facts> {
    const said = await outputOf([...(CALLERS.get(set) ?? []), ...argv], { env: stage.env });
    // The place of the files that are made for the container.
    return parseFacts(said.replaceAll(/\S+\/(?=(?:hosts|hostname|resolv\.conf) of )/g, ""));
  }

  describe.each([...FLAG_SETS])("with %s", (set, flags) => {
    const name = set.replaceAll(" ", "-");
    let ours: Facts;
    let directory: string;
    const own = new AsyncDisposableStack();

    beforeAll(async () => {
      const volume = ["-v", `${dirname(probe)}:/probe:ro`];
      const command = [stage.tiny, "/probe/probe", ...hostNamespaces()];
      const words = ["--hostname", "probe", ...flags, ...volume, ...command];
      own.defer(() => stage.output("rm", "-f", name).then(() => undefined));
      ours = await factsOf([TSIMG, "run", "--name", name, ...words], set);
      const place = join(stage.root, "bundles", name);
      const bundle = await bundleOf(stage, words, place, `/${groups}/${name}`);
      own.defer(bundle.unmount);
      directory = bundle.directory;
    });
    afterAll(() => own.disposeAsync());

    test.each(PEERS)("%s shows the same, but for what is listed", async (peer) => {
      const id = `tsimg-probe-${process.pid}-${name}`;
      const state = join(stage.root, "state", peer);
      const argv = [...before(peer), peer, "--root", state, "run", "--bundle", directory, id];
      const theirs = await factsOf(argv, set);
      const found = contrasts(ours, theirs);
      for (const contrast of found) {
        for (const difference of explains(contrast, peer, set)) met.add(difference);
      }
      expect(unexplained(found, peer, set)).toEqual([]);
    });
  });

  test("a capability more would be noticed", async () => {
    const volume = `${dirname(probe)}:/probe:ro`;
    const run = (...flags: string[]) =>
      factsOf([TSIMG, "run", "--rm", "-v", volume, ...flags, stage.tiny, "/probe/probe"]);
    const found = contrasts(await run(), await run("--cap-add", "SYS_ADMIN"));
    const seen = unexplained(found, "runc", "no flags").join("\n");
    expect(seen).toMatch(/^status\.CapEff: ours 0{8}a[08]0425fb; runc's 0{8}a[08]2425fb$/m);
    expect(seen).toMatch(/^call\.unshare mount: ours EPERM; runc's ok$/m);
  });

  // On other machines some show and some don't.
  test.skipIf(!hasVersion1)("no difference is listed that is none", () => {
    const gone = DIFFERENCES.filter((one) => one.version2 !== true && !met.has(one));
    expect(gone.map(({ fact, why }) => `${fact}: ${why}`)).toEqual([]);
  });
});
