import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { basename } from "node:path";
import { fileSystemOf } from "../storage/file-system.ts";
import { tolerating } from "../sys/errno.ts";
import { programOutcome, programPath } from "../sys/run-program.ts";
import type { Machine } from "./results/results.ts";

const VERSIONS: Readonly<Record<string, readonly string[]>> = {
  "mkfs.ext4": ["mkfs.ext4", "-V"],
  "mkfs.xfs": ["mkfs.xfs", "-V"],
  "mkfs.btrfs": ["mkfs.btrfs", "--version"],
  zfs: ["zfs", "version"],
  fio: ["fio", "--version"],
};

/** @param root of the store, below which the bench works */
export function describeMachine(root: string): Omit<Machine, "loadAfter"> {
  const { type, source, options } = fileSystemOf(root);
  const processors = cpus();
  return {
    kernel: release(),
    processors: `${processors.length} × ${processors[0]?.model.trim() ?? "unknown"}`,
    memory: totalmem(),
    fileSystem: type,
    mountOptions: options,
    device: deviceText(source),
    loadBefore: currentLoad(),
    versions: versions(),
  };
}

/** Average of the last minute. */
export function currentLoad(): number {
  return loadavg()[0] ?? 0;
}

function deviceText(source: string): string {
  if (!source.startsWith("/dev/")) return source;
  const queue = `/sys/class/block/${basename(source)}/queue/rotational`;
  const text = tolerating(["ENOENT"], () => readFileSync(queue, "latin1"))?.trim();
  if (text === undefined) return source;
  return `${source} (${text === "1" ? "rotating or virtual" : "not rotating"})`;
}

function versions(): Readonly<Record<string, string>> {
  const found: Record<string, string> = { node: process.version };
  for (const [name, argv] of Object.entries(VERSIONS)) {
    if (programPath(argv[0] ?? "") === undefined) continue;
    const { stdout, stderr } = programOutcome(argv);
    const version = /\d+\.\d+[\w.+~-]*/.exec(`${stdout}\n${stderr}`)?.[0];
    if (version !== undefined) found[name] = version;
  }
  return found;
}
