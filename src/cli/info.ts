import { readFileSync, statfsSync } from "node:fs";
import { availableParallelism, hostname, release, totalmem } from "node:os";
import { hasLowerPlus } from "../../drivers/overlay-mount.ts";
import type { App } from "../app.ts";
import { detectCgroups } from "../runtime/cgroup/detect.ts";
import { chooseDriver, shownDriver } from "../storage/choose-driver.ts";
import { driverCounts } from "../storage/driver-counts.ts";
import { fileSystemOf } from "../storage/file-system.ts";
import type { StorageContext } from "../storage/storage-context.ts";
import { tolerating } from "../sys/errno.ts";
import { TsimgError } from "../sys/error.ts";
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
    Driver: chosenDriver(app),
    DriverStatus: {
      "Backing Filesystem": fileSystemOf(app.paths.root).type,
      "Layers by fsconfig": hasLowerPlus(release()),
    },
    Drivers: driverCounts(app),
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

/** Or why there is none. */
function chosenDriver(context: StorageContext): string {
  try {
    return shownDriver(context, chooseDriver(context));
  } catch (error) {
    if (error instanceof TsimgError) return `none: ${error.message}`;
    throw error;
  }
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
    ...facts.Drivers.map(
      ({ Name, Layers, Containers }) => ` ${Name}: ${Layers} layers, ${Containers} containers`,
    ),
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
