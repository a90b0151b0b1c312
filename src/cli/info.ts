import { readFileSync, statfsSync } from "node:fs";
import { availableParallelism, hostname, release, totalmem } from "node:os";
import { hasLowerPlus } from "../../drivers/overlay2/overlay-options.ts";
import { type App, DEFAULT_DRIVER } from "../app.ts";
import { detectCgroups } from "../runtime/cgroup/detect.ts";
import { tolerating } from "../sys/errno.ts";
import { Command } from "./command.ts";
import { openApp } from "./globals.ts";
import { renderObjects } from "./output/format.ts";
import { print } from "./output/print.ts";
import { formatSize } from "./output/size.ts";
import { VERSION } from "./version.ts";

/** `tsimg info` */
export function command(): Command {
  return new Command("info")
    .description("print what the store holds and what this machine offers")
    .option("-f, --format <format>", "json, or a template such as '{{.Driver}}'")
    .addHelpText("after", "\nExamples:\n  $ tsimg info\n  $ tsimg info --format json\n")
    .action((flags: { format?: string }, command: Command) => {
      using app = openApp(command);
      const facts = gather(app);
      if (flags.format !== undefined) print(renderObjects([facts], flags.format));
      else print(text(facts));
    });
}

function gather(app: App) {
  const containers = app.containers.list();
  const states = containers.map((container) => container.state.status);
  const layout = detectCgroups(readFileSync("/proc/self/mountinfo", "utf8"));
  const free = tolerating(["ENOENT"], () => statfsSync(app.paths.root));
  return {
    Containers: containers.length,
    ContainersRunning: states.filter((state) => state === "running").length,
    ContainersStopped: states.filter((state) => state === "exited").length,
    Images: app.images.all().length,
    Snapshots: app.snapshots.walk().length,
    Driver: DEFAULT_DRIVER,
    DriverStatus: {
      "Backing Filesystem": backingFileSystem(app.paths.root),
      "Layers by fsconfig": hasLowerPlus(release()),
    },
    RootDir: app.paths.root,
    RunRoot: app.paths.runRoot,
    FreeBytes: free === undefined ? 0 : free.bavail * free.bsize,
    FreeInodes: free?.ffree ?? 0,
    CgroupVersion: layout.kind,
    CgroupControllers: [...layout.v1.keys()],
    KernelVersion: release(),
    NCPU: availableParallelism(),
    MemTotal: totalmem(),
    Name: hostname(),
    ServerVersion: VERSION,
    NodeVersion: process.version,
  };
}

/** The type of the file system that holds `directory`, from the longest mount point above it. */
function backingFileSystem(directory: string): string {
  let best = { point: "", type: "unknown" };
  for (const line of readFileSync("/proc/self/mounts", "utf8").split("\n")) {
    const [, point = "", type = ""] = line.split(" ");
    const above = directory === point || directory.startsWith(point === "/" ? "/" : `${point}/`);
    if (above && point.length >= best.point.length) best = { point, type };
  }
  return best.type;
}

function text(facts: ReturnType<typeof gather>): string {
  return [
    `Containers: ${facts.Containers}`,
    ` Running: ${facts.ContainersRunning}`,
    ` Stopped: ${facts.ContainersStopped}`,
    `Images: ${facts.Images}`,
    `Snapshots: ${facts.Snapshots}`,
    `Storage Driver: ${facts.Driver}`,
    ...Object.entries(facts.DriverStatus).map(([name, value]) => ` ${name}: ${value}`),
    `Root Dir: ${facts.RootDir}`,
    `Run Root: ${facts.RunRoot}`,
    `Free Space: ${formatSize(facts.FreeBytes)}, ${facts.FreeInodes} inodes`,
    `Cgroup Version: ${facts.CgroupVersion}`,
    `Kernel Version: ${facts.KernelVersion}`,
    `CPUs: ${facts.NCPU}`,
    `Total Memory: ${formatSize(facts.MemTotal)}`,
    `Name: ${facts.Name}`,
    `tsimg Version: ${facts.ServerVersion} (Node ${facts.NodeVersion})`,
    "",
  ].join("\n");
}
