import { accessSync, constants, mkdirSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { become } from "../../sys/become.ts";
import { errorCode, tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { randomHex } from "../../sys/random.ts";
import { programPath } from "../../sys/run-program.ts";
import { machineArch } from "../machine-arch.ts";
import { dieWithLauncher } from "../tape/credentials.ts";
import { encodeTape } from "../tape/encode.ts";
import { unblockSignals } from "../tape/process.ts";
import { Steps } from "../tape/steps.ts";
import { flags, type Strings, type Tape } from "../tape/tape.ts";
import type { MapWriter } from "../tape/user-namespace.ts";
import { Holder } from "./holder.ts";
import { ownMaps, singleMaps } from "./own-maps.ts";
import { userPaths } from "./user-paths.ts";

/**
 * Goes on, as root of the user's own namespaces, in a process that executes the same command
 * line; this one becomes its parent and ends as it ends. Never returns.
 *
 * @param launcher path of the built launcher
 * @param argv     of Node: program, options, script, arguments
 * @throws TsimgError ERR_LAUNCH
 */
export function enterUserNamespace(launcher: string, argv: readonly string[]): never {
  const { root, runRoot } = userPaths(process.env);
  makePlace(runRoot);
  const holder = new Holder(runRoot);
  const pid = holder.find() ?? makeHolder(holder, launcher);
  const env = { ...process.env, TSIMG_ROOT: root, TSIMG_RUNROOT: runRoot };
  const path = join(runRoot, `enter-${randomHex(16)}`);
  const machine = machineArch() === "arm64" ? "aarch64" : "x86_64";
  writeFileSync(path, encodeTape(enterTape(pid, argv, env, path), machine), { mode: 0o600 });
  return become(launcher, ["tsimg-enter", path]);
}

function makePlace(runRoot: string): void {
  try {
    mkdirSync(runRoot, { recursive: true, mode: 0o700 });
    accessSync(runRoot, constants.W_OK);
  } catch (cause) {
    throw new TsimgError("ERR_ROOT_REQUIRED", `can't write '${runRoot}': ${errorCode(cause)}`, {
      cause,
      hint: "name a directory of yours with --root or TSIMG_ROOT, or run as root",
    });
  }
}

function makeHolder(holder: Holder, launcher: string): number {
  const { uid, gid, username: name } = userInfo();
  const read = (path: string) => tolerating(["ENOENT"], () => readFileSync(path, "utf8")) ?? "";
  const ids = { uid, gid, name };
  const maps = ownMaps(ids, read("/etc/subuid"), read("/etc/subgid"));
  const [newuidmap, newgidmap] = ["newuidmap", "newgidmap"].map(programPath);
  if (maps !== undefined && newuidmap !== undefined && newgidmap !== undefined)
    return holder.make(launcher, maps, { kind: "programs", newuidmap, newgidmap });
  const lack =
    maps === undefined
      ? `/etc/subuid and /etc/subgid have no line for "${name}"`
      : "newuidmap and newgidmap are not installed (package uidmap)";
  writeSync(
    2,
    `tsimg: warning: ${lack}: in containers there is no user but root, and all files of an image become yours\n`,
  );
  const single: MapWriter = { kind: "single" };
  return holder.make(launcher, singleMaps(ids), single);
}

function enterTape(
  holder: number,
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
  path: string,
): Tape {
  const why = "entering the user's namespaces";
  const before = new Steps();
  const process_ = before.keep("pidfd_open", [holder, 0], why);
  before.call("setns", [process_, flags("CLONE_NEWUSER", "CLONE_NEWNS")], why);
  const child = new Steps(before);
  dieWithLauncher(child);
  child.call("unlinkat", [flags("AT_FDCWD"), path, 0], why, { tolerate: "any" });
  // Joining a mount namespace leads to its root.
  child.call("chdir", [process.cwd()], why, { tolerate: "any" });
  unblockSignals(child);
  const env = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const strings = (values: readonly string[]): Strings => ({ kind: "strings", values });
  child.call("execve", [argv[0] ?? "", strings(argv), strings(env)], why);
  return {
    before: before.list,
    cloneFlags: [],
    beside: [],
    child: child.list,
    after: [],
    options: ["direct"],
    files: {},
  };
}
