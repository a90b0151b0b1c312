import { spawnSync } from "node:child_process";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { identityOf, isAlive } from "../../store/process-identity.ts";
import { errorCode, tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { randomHex } from "../../sys/random.ts";
import { machineArch } from "../machine-arch.ts";
import { encodeTape } from "../tape/encode.ts";
import { unblockSignals } from "../tape/process.ts";
import { Steps } from "../tape/steps.ts";
import { flags, REPORT_SOCKET, type Tape } from "../tape/tape.ts";
import { becomeMappedRoot, type MapWriter, writeMaps } from "../tape/user-namespace.ts";
import type { IdMaps } from "../userns/choose-maps.ts";

/**
 * The process that keeps an ordinary user's namespaces: one user namespace, in which all of
 * that user's containers are, and one mount namespace. It does nothing, and ends with the
 * machine.
 *
 *     <runRoot>/holder   its identity; written whole, by whoever was first
 */
export class Holder {
  private readonly runRoot: string;

  constructor(runRoot: string) {
    this.runRoot = runRoot;
  }

  /** Its process ID; undefined when there is none. */
  find(): number | undefined {
    const identity = tolerating(["ENOENT"], () => readFileSync(this.file(), "utf8"));
    if (identity === undefined || !isAlive(identity)) return undefined;
    return Number(identity.split(":")[0]);
  }

  /**
   * Makes one, unless another process has just done so, and answers its process ID.
   *
   * @param launcher path of the built launcher
   * @throws TsimgError ERR_LAUNCH when the kernel or newuidmap refuses; the launcher has said why
   */
  make(launcher: string, maps: IdMaps, writer: MapWriter): number {
    mkdirSync(this.runRoot, { recursive: true, mode: 0o700 });
    const own = join(this.runRoot, `holder-${randomHex(16)}`);
    const [tape, pidFile] = [`${own}.tape`, `${own}.pid`];
    try {
      const machine = machineArch() === "arm64" ? "aarch64" : "x86_64";
      writeFileSync(tape, encodeTape(holderTape(maps, writer, pidFile), machine), { mode: 0o600 });
      const { status, error } = spawnSync(launcher, [tape], {
        stdio: ["ignore", "ignore", "inherit"],
      });
      if (error !== undefined) throw error;
      if (status !== 0) throw refused();
      return this.publish(Number(readFileSync(pidFile, "utf8")), own);
    } finally {
      for (const path of [tape, pidFile, own]) rmSync(path, { force: true });
    }
  }

  private publish(pid: number, own: string): number {
    const start = startTimeOf(pid);
    writeFileSync(own, identityOf(pid, start), { mode: 0o600 });
    for (let attempt = 0; attempt < 10; attempt++) {
      try {
        linkSync(own, this.file());
        return pid;
      } catch (error) {
        if (errorCode(error) !== "EEXIST") throw error;
      }
      const other = this.find();
      if (other !== undefined) {
        process.kill(pid, "SIGKILL");
        return other;
      }
      // Of a holder that died.
      rmSync(this.file(), { force: true });
    }
    throw new TsimgError("ERR_STORE", `'${this.file()}' can't be written`);
  }

  private file(): string {
    return join(this.runRoot, "holder");
  }
}

function startTimeOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

function holderTape(maps: IdMaps, writer: MapWriter, pidFile: string): Tape {
  const linux = { namespaces: [{ type: "user" as const }], ...maps };
  const beside = new Steps();
  writeMaps(beside, linux, writer);
  const child = new Steps();
  becomeMappedRoot(child, linux, writer);
  const why = "keeping the user's namespaces";
  // What is mounted on the host appears here, too.
  child.call("mount", ["none", "/", 0, flags("MS_REC", "MS_SLAVE"), 0], why);
  unblockSignals(child);
  child.call("setsid", [], why);
  child.call("chdir", ["/"], why);
  child.scope(() => {
    const null_ = child.keep("openat", [flags("AT_FDCWD"), "/dev/null", flags("O_RDWR")], why);
    for (const fd of [0, 1, 2]) child.call("dup3", [null_, fd, 0], why);
    child.call("close", [null_], why);
  });
  child.call("close", [REPORT_SOCKET], why);
  child.call("ppoll", [0, 0, 0, 0, 0], why);
  return {
    before: [],
    cloneFlags: ["CLONE_NEWUSER", "CLONE_NEWNS"],
    beside: beside.list,
    child: child.list,
    after: [],
    options: ["transient", "direct"],
    files: { pid: pidFile },
  };
}

function refused(): TsimgError {
  return new TsimgError("ERR_LAUNCH", "no user namespace could be made", {
    hint: "unprivileged user namespaces may be switched off (sysctl user.max_user_namespaces), or your lines in /etc/subuid and /etc/subgid wrong",
  });
}
