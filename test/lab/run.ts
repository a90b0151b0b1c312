import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, relative, resolve } from "node:path";
import { awkwardImage } from "../../fixtures/images/awkward-image.ts";
import { tinyImage } from "../../fixtures/images/tiny-image.ts";
import { tolerating } from "../../src/sys/errno.ts";

/**
 * `npm run test:lab [-- PATTERN…]`: the drivers that this machine's kernel can't try, in a
 * guest with a kernel that can. One boot for all of them.
 *
 * The lab is found by TSIMG_LAB, or else beside this project; without one nothing is tested.
 */
const ROOT = join(import.meta.dirname, "../..");
/** Programs are about 20 times as slow in the guest, which has no hardware of its own. */
const LIMIT_SECONDS = 7200;
/**
 * With several, a processor that emulation lets run while another patches the kernel's code, as
 * the first limit of CPU time does, now and then meets half a patch, and the kernel panics.
 * TSIMG_LAB_CPUS asks for more, which tests that race need.
 */
const PROCESSORS = process.env["TSIMG_LAB_CPUS"] ?? "1";
/** Stores lie in the guest's memory. */
const MEMORY_MIB = 6144;

const lab = resolve(process.env["TSIMG_LAB"] ?? join(ROOT, "../shared/lab"));
const boot = join(lab, "run-in-lab.sh");
const cache = process.env["TSIMG_LAB_CACHE"] ?? join(homedir(), ".cache/tsimg-lab");

if (!existsSync(boot)) {
  console.log(`no kernel lab in '${lab}': nothing tested`);
  console.log("TSIMG_LAB names the directory that has run-in-lab.sh");
} else if (!existsSync(join(cache, "boot/vmlinuz"))) {
  console.log(`the kernel lab has no kernel yet: run '${join(lab, "setup.sh")} --zfs' first`);
  process.exitCode = 2;
} else process.exitCode = await test(process.argv.slice(2));

async function test(patterns: readonly string[]): Promise<number> {
  const zfs = existsSync(join(cache, "user.zfs"));
  if (!zfs) console.log("the kernel lab was set up without --zfs: no test of zfs");
  const modules = ["loop", "erofs", "dm-thin-pool", "tun"].flatMap((name) => ["--module", name]);
  const guest = relative(ROOT, join(import.meta.dirname, "guest.ts"));
  const argv = [
    // dmsetup makes its nodes itself; waiting for udev would take a second a device.
    "--no-udev",
    ...(zfs ? ["--zfs"] : []),
    ...modules,
    ...["--cpus", PROCESSORS, "--mem", `${MEMORY_MIB}`],
    ...["--timeout", `${LIMIT_SECONDS}`, "--env", "NO_COLOR=1"],
    ...["--", process.execPath, guest, ...patterns],
  ];
  // The guest finds them in the cache; it can't fetch what they are made of.
  await awkwardImage();
  await awkwardImage({ layers: 1 });
  await tinyImage();
  // The lab's own meaning of this variable, inside the guest, is that it is the guest.
  const { TSIMG_LAB: _, ...env } = process.env;
  const run = spawn(boot, argv, { cwd: ROOT, env, stdio: "inherit" });
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
    process.on(signal, () => endChildren(run.pid));
  const [status] = (await once(run, "close")) as [number | null];
  return status ?? 1;
}

/** The script cleans up and ends when the emulator does, which it waits for. */
function endChildren(pid: number | undefined): void {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  for (const child of children.filter(Boolean))
    tolerating(["ESRCH"], () => process.kill(Number(child), "SIGTERM"));
}
