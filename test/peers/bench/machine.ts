import { cpus, loadavg, release, totalmem } from "node:os";
import { outcomeOf } from "../../../fixtures/command.ts";

export interface Machine {
  readonly kernel: string;
  readonly cpu: string;
  readonly memoryGiB: number;
  /** Of the last minute, before the bench began. */
  readonly load: number;
  readonly versions: Readonly<Record<string, string>>;
}

const VERSION_COMMANDS: Readonly<Record<string, readonly string[]>> = {
  node: [process.execPath, "--version"],
  tsimg: ["bin/tsimg", "version"],
  docker: ["dockerd", "--version"],
  containerd: ["containerd", "--version"],
  podman: ["podman", "--version"],
  runc: ["runc", "--version"],
  crun: ["crun", "--version"],
  umoci: ["umoci", "--version"],
  tar: ["tar", "--version"],
  igzip: ["igzip", "--version"],
};

export async function describeMachine(): Promise<Machine> {
  const versions: Record<string, string> = {};
  for (const [name, argv] of Object.entries(VERSION_COMMANDS)) {
    versions[name] = await versionOf(argv);
  }
  const [load = 0] = loadavg();
  const processors = cpus();
  return {
    kernel: release(),
    cpu: `${processors.length} × ${processors[0]?.model ?? "unknown"}`,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    load,
    versions,
  };
}

async function versionOf(argv: readonly string[]): Promise<string> {
  try {
    const { status, stdout, stderr } = await outcomeOf(argv);
    if (status !== 0) return "does not start";
    const text = `${stdout}${stderr}`;
    return /\d+\.\d+(\.\d+)?[\w.+~-]*/.exec(text)?.[0] ?? "unknown";
  } catch {
    return "not installed";
  }
}
