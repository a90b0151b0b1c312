import { type App, builtProgram } from "../app.ts";
import { parseImageConfig } from "../oci/image-config.ts";
import type { ContainerImage } from "../runtime/container/create-container.ts";
import { createContainer } from "../runtime/container/create-container.ts";
import { launch } from "../runtime/container/launch.ts";
import type { RunFlags } from "../runtime/run-flags.ts";
import { TsimgError } from "../sys/error.ts";
import { requireKernel } from "../sys/kernel.ts";
import { Command, Option } from "./command.ts";
import { openApp } from "./globals.ts";
import type { RunPullFlags } from "./pull-for-run.ts";
import { removeEndedCall } from "./remove-ended.ts";
import { requireRoot } from "./require-root.ts";
import { announceFullCopies, parseStorageOptions } from "./storage-flags.ts";

type PullPolicy = "always" | "missing" | "never";

interface Flags extends Omit<RunFlags, "volumes" | "command"> {
  readonly volume: readonly string[];
  readonly pull: PullPolicy;
  readonly explain?: true;
  readonly driver?: string;
  readonly storageOpt: readonly string[];
  readonly plainHttp?: true;
  readonly platform?: string;
}

const EXAMPLES = `
Examples:
  $ tsimg run --rm -it alpine sh
  $ tsimg run -d --name web --memory 256m -v /srv/www:/www:ro httpd
  $ tsimg run --rm --network none --read-only --cap-drop ALL alpine id
  $ tsimg run --rm --explain alpine true
`;

/** `tsimg run`: the container is made by src/runtime/container, started by the launcher. */
export function command(): Command {
  const each = (text: string, before: readonly string[]) => [...before, text];
  const none: readonly string[] = [];
  return new Command("run")
    .description("start a container of an image, pulling it when it isn't here")
    .argument("<image>", "name or ID of the image")
    .argument("[command...]", "replaces the image's command")
    .passThroughOptions()
    .option("--rm", "remove the container when it ends", false)
    .option("-d, --detach", "run in the background and print the ID", false)
    .option("-i, --interactive", "connect the container's standard input", false)
    .option("-t, --tty", "give the container a terminal", false)
    .option("--name <name>", "name of the container")
    .option("-e, --env <name=value>", "set an environment variable", each, none)
    .option("--env-file <file>", "set environment variables from a file", each, none)
    .option("-w, --workdir <dir>", "working directory in the container")
    .option("-u, --user <name|uid[:group|gid]>", "user to run as")
    .option(
      "-v, --volume <src:dst[:ro]>",
      "mount a directory of the host or a named volume",
      each,
      none,
    )
    .option("--tmpfs <dst[:options]>", "mount a tmpfs", each, none)
    .option("--read-only", "make the root file system read-only", false)
    .option("-h, --hostname <name>", "host name in the container")
    .option("--entrypoint <program>", "replaces the image's entrypoint")
    .option("-m, --memory <size>", "limit of memory, e.g. 512m")
    .option("--cpus <number>", "limit of CPU time, e.g. 1.5")
    .option("-c, --cpu-shares <number>", "share of CPU time when it is scarce (1024 is usual)")
    .option("--pids-limit <number>", "limit of processes")
    .option("--cpuset-cpus <list>", "CPUs to run on, e.g. 0-2,7")
    .addOption(networkOption())
    .option("--privileged", "all capabilities, all devices, nothing hidden", false)
    .option("--cap-add <name>", "give a capability", each, none)
    .option("--cap-drop <name>", "take a capability", each, none)
    .option(
      "--security-opt <option>",
      "no-new-privileges, seccomp=unconfined, seccomp=FILE",
      each,
      none,
    )
    .option("--init", "put an init process in front that reaps and forwards signals", false)
    .addOption(pullOption())
    .option("--platform <os/arch[/variant]>", "which image of an index to pull")
    .option("--plain-http", "speak HTTP to the registry, not HTTPS")
    .option("--driver <name[:pool]>", "storage driver (TSIMG_DRIVER)")
    .option("--storage-opt <key=value>", "what the driver shall do, e.g. size=10G", each, none)
    .option("--explain", "print every system call of the start, then start")
    .helpOption("--help", "show this help")
    .addHelpText("after", EXAMPLES)
    .action(async (image: string, words: string[], flags: Flags, command: Command) => {
      const runFlags: RunFlags = { ...flags, volumes: flags.volume, command: words };
      checkTerminal(runFlags);
      requireRoot("running a container");
      requireKernel();
      const app = openApp(command);
      const storage = parseStorageOptions(flags.storageOpt);
      const pullFlags = { ...flags, driver: app.chooseDriver(flags.driver), storage };
      const found = await imageToRun(app, image, pullFlags);
      app.containers.clearUp();
      const { database, snapshots, containers, paths } = app;
      const removeProgram = (id: string) => removeEndedCall(paths, id);
      const context = { database, snapshots, containers, paths, removeProgram };
      const created = createContainer(context, found, { ...runFlags, storage });
      if (flags.explain === true) {
        const { explainLaunch } = await import("../runtime/container/explain-launch.ts");
        process.stderr.write(await explainLaunch(created, app.paths.filters));
      }
      // The database stays open on purpose: closing it would flush it to the disk, and the
      // kernel closes it with execve.
      await launch(builtProgram("launcher"), created, app.paths);
    });
}

function networkOption(): Option {
  return new Option("--network <mode>", "none (default) or host");
}

function pullOption(): Option {
  return new Option("--pull <when>", "pull before running")
    .choices(["always", "missing", "never"])
    .default("missing");
}

function checkTerminal(flags: RunFlags): void {
  if (flags.tty && flags.interactive && !flags.detach && !process.stdin.isTTY)
    throw new TsimgError("ERR_USAGE", "the input device is not a TTY", { hint: "leave out -t" });
}

async function imageToRun(app: App, text: string, flags: RunPullFlags): Promise<ContainerImage> {
  const here = flags.pull === "always" ? undefined : runnable(app, text, flags.driver);
  if (here !== undefined) return here;
  if (flags.pull === "never" && app.images.find(text) === undefined)
    throw new TsimgError("ERR_NO_SUCH_IMAGE", `no such image: '${text}'`, {
      hint: "pull it first, or run with --pull missing",
    });
  const { pullForRun, unpackForRun } = await import("./pull-for-run.ts");
  const image = flags.pull !== "always" ? app.images.find(text)?.image : undefined;
  announceFullCopies(app, flags.driver);
  if (image === undefined) await pullForRun(app, text, flags);
  else await unpackForRun(app, text, image, flags);
  const pulled = runnable(app, text, flags.driver);
  if (pulled !== undefined) return pulled;
  throw new TsimgError("ERR_NO_SUCH_IMAGE", `image '${text}' was removed while it was pulled`);
}

/** The image, when it is here and unpacked in the driver. */
function runnable(app: App, text: string, driver: string): ContainerImage | undefined {
  const found = app.images.find(text);
  if (found === undefined) return undefined;
  const { image } = found;
  const top = image.chainId === "" ? undefined : app.snapshots.byChain(driver, image.chainId);
  if (image.chainId !== "" && top === undefined) return undefined;
  const accounts = top === undefined ? undefined : app.snapshots.accounts(top.id);
  const texts = JSON.parse(accounts ?? "{}") as { passwd?: string; group?: string };
  return {
    name: text,
    manifest: image.digest,
    config: parseImageConfig(Buffer.from(image.config)).config,
    driver,
    top: top?.id ?? null,
    accounts: {
      ...(texts.passwd !== undefined && { passwd: Buffer.from(texts.passwd) }),
      ...(texts.group !== undefined && { group: Buffer.from(texts.group) }),
    },
  };
}
