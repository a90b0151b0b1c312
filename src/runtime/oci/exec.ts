import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseProcessFile } from "../../oci/parse-runtime-spec.ts";
import type { Process } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import { execTapePath, writeExecTape } from "../container/exec.ts";
import { namespacesOf } from "../container/exec-namespaces.ts";
import { filterOf } from "../container/tape-image.ts";
import { machineArch } from "../machine-arch.ts";
import { compileExec } from "../tape/compile-exec.ts";
import { resolveUser } from "../user.ts";
import type { OciContainer } from "./oci-container.ts";

/** As the command line says it. */
export interface OciExecOptions {
  readonly processFile?: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd?: string;
  readonly user?: string;
  readonly tty: boolean;
  readonly detach: boolean;
  readonly consoleSocket?: string;
  readonly pidFile?: string;
}

/** Makes the tape of one more process and answers its path. @throws TsimgError */
export async function prepareOciExec(
  container: OciContainer,
  options: OciExecOptions,
  filters: string,
): Promise<string> {
  container.mustAllow("exec in", "created", "running");
  const { spec, cgroups } = container.record();
  const pid = container.started?.pid;
  if (pid === undefined) throw new TsimgError("ERR_STATE", `container '${container.id}' is gone`);
  const process = processOf(spec.process, options);
  const { tty, detach, consoleSocket, pidFile } = { ...options, tty: process.terminal === true };
  const { seccomp } = spec.linux;
  const filter = await filterOf(seccomp, machineArch(), filters);
  const path = execTapePath(container.directory);
  const tape = compileExec({
    process,
    target: { pid },
    namespaces: namespacesOf(spec),
    procsFiles: cgroups.map((group) => join(group, "cgroup.procs")),
    seccomp,
    ...(filter === undefined ? {} : { seccompFilter: filter }),
    io:
      tty && consoleSocket === undefined
        ? { kind: "foreground", tty, interactive: true }
        : { kind: "direct", tty, ...(consoleSocket === undefined ? {} : { consoleSocket }) },
    transient: detach,
    ...(pidFile === undefined ? {} : { pidFile: resolve(pidFile) }),
    removeAfter: [path],
  });
  writeExecTape(path, tape, false);
  return path;
}

function processOf(own: Process, options: OciExecOptions): Process {
  if (options.processFile !== undefined) {
    const asked = parseProcessFile(readFileSync(options.processFile));
    return asked.capabilities === undefined && own.capabilities !== undefined
      ? { ...asked, capabilities: own.capabilities }
      : asked;
  }
  if (options.args.length === 0)
    throw new TsimgError("ERR_USAGE", "exec: no command", { hint: "name one, or give --process" });
  const user = options.user === undefined ? own.user : resolveUser(options.user, {}).user;
  return {
    ...own,
    terminal: options.tty,
    args: options.args,
    env: [...own.env, ...options.env],
    cwd: options.cwd ?? own.cwd,
    user,
  };
}
