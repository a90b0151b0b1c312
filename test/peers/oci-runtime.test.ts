import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outcomeOf, outputOf } from "../../fixtures/command.ts";
import { tinyImage } from "../../fixtures/images/tiny-image.ts";
import { Stage, reason as stageReason, TSIMG } from "../system/run-stage.ts";
import { removeGroups } from "./cgroup.ts";
import { isolated } from "./isolated.ts";
import { missing } from "./requirements.ts";

const OURS = `${TSIMG}-runtime`;
const SCRIPTS = join(import.meta.dirname, "oci-runtime");
const reason = stageReason ?? missing(["runc", "python3"]);
const noContainerd = missing(["containerd", "ctr", "script"]);
const noPodman = missing(["podman", "script", "curl"]);

/** The same script is run with each runtime: what it prints must not tell which it was. */
describe.skipIf(reason)(`tsimg as an OCI runtime, against runc ${reason ?? ""}`, () => {
  const resources = new AsyncDisposableStack();
  const groups = `oci-contract-${process.pid}`;
  let root: string;
  let archive: string;
  let bundles: string;

  beforeAll(async () => {
    const stage = resources.use(await Stage.open());
    root = await mkdtemp(join(tmpdir(), "tsimg-oci-"));
    const retries = { maxRetries: 10, retryDelay: 100 };
    resources.defer(() => rm(root, { recursive: true, force: true, ...retries }));
    resources.defer(() => removeGroups(groups));
    archive = join(root, "tiny.tar");
    await outputOf(["tar", "-C", await tinyImage(), "-cf", archive, "."]);
    await stage.output("pull", "-q", stage.tiny);
    bundles = join(root, "bundles");
    await mkdir(bundles);
    await writeFile(join(bundles, "input"), "from the input\n");
    const bundle = async (name: string, flags: readonly string[], ...command: string[]) => {
      const directory = join(bundles, name);
      await stage.output("bundle", ...flags, stage.tiny, directory, ...command);
      const file = join(directory, "config.json");
      const spec = JSON.parse(await readFile(file, "utf8"));
      spec.linux.cgroupsPath = `/${groups}/${name}`;
      await writeFile(file, JSON.stringify(spec));
    };
    await bundle("plain", [], "sleep", "1000");
    await bundle("fails", [], "sh", "-c", "echo out; cat; echo err >&2; exit 3");
    await bundle("missing", [], "/no/such");
    await bundle("terminal", ["-t"], "sh", "-c", "tty; exit 4");
  });
  afterAll(() => resources.disposeAsync());

  /** What a script prints that is run with one runtime. */
  async function said(runtime: string, argv: readonly string[]): Promise<string> {
    // An OCI runtime has no store: where one would be, nothing can be written.
    const env = { ...process.env, TSIMG_ROOT: "/proc/no-store" };
    const { stdout } = await outcomeOf(argv, { env });
    return stdout.toString().replaceAll(runtime, "RUNTIME");
  }

  test("the command line's contract", async () => {
    const run = (runtime: string, name: string) => {
      const console = join(SCRIPTS, "console.py");
      const words = [runtime, join(root, name), bundles, console];
      return said(runtime, ["sh", join(SCRIPTS, "contract.sh"), ...words]);
    };
    const theirs = await run("runc", "runc");
    expect(theirs).toContain("run: status 3\nout\nfrom the input\nerr\n");
    expect(theirs).toContain("console: on a terminal - status 0\n");
    expect(await run(OURS, "ours")).toBe(theirs);
  });

  test.skipIf(noContainerd)(`containerd's tasks ${noContainerd ?? ""}`, async () => {
    const run = (runtime: string, name: string) => {
      const words = [runtime, join(root, name), archive, `/${groups}/${name}`];
      return said(runtime, [...isolated(["sh", join(SCRIPTS, "containerd.sh"), ...words])]);
    };
    const theirs = await run("runc", "containerd-runc");
    expect(theirs).toContain("exec: status 5\nd PAUSED\nd RUNNING\n");
    expect(await run(OURS, "containerd-ours")).toBe(theirs);
  });

  test.skipIf(noPodman)(`podman's containers ${noPodman ?? ""}`, async () => {
    const run = (runtime: string, name: string) => {
      const words = [runtime, join(root, name), archive, `/${groups}/${name}`];
      const argv = isolated(["unshare", "--net", "sh", join(SCRIPTS, "podman.sh"), ...words]);
      return said(runtime, argv);
    };
    const theirs = await run("runc", "podman-runc");
    expect(theirs).toContain("run no-such: status 127\nrun /etc/passwd: status 126\n");
    expect(theirs).toContain("publish: status 0\nhello\nweb\n");
    expect(await run(OURS, "podman-ours")).toBe(theirs);
  });
});
