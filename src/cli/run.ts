import { type App, builtProgram } from "../app.ts";
import { leftStreams, parseAttach } from "../runtime/container/attached-streams.ts";
import { createContainer } from "../runtime/container/create-container.ts";
import { launch } from "../runtime/container/launch.ts";
import { prepareLaunch } from "../runtime/container/prepare-launch.ts";
import { limitWarnings } from "../runtime/limits.ts";
import { TsimgError } from "../sys/error.ts";
import { requireKernel } from "../sys/kernel.ts";
import { Command } from "./command.ts";
import { createContext } from "./create-context.ts";
import { openApp } from "./globals.ts";
import { imageToRun, type PullChoice, pullOptions } from "./image-to-run.ts";
import { complain } from "./output/print.ts";
import { requireRoot } from "./require-root.ts";
import { type ContainerFlags, containerOptions, runFlagsOf } from "./run-flags/container.ts";
import { parseStorageOptions } from "./storage-flags.ts";

interface Flags extends ContainerFlags, PullChoice {
  readonly sigProxy: string;
  readonly detach: boolean;
  readonly explain?: true;
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
  const run = new Command("run")
    .description("start a container of an image, pulling it when it isn't here")
    .argument("<image>", "name or ID of the image")
    .argument("[command...]", "replaces the image's command")
    .passThroughOptions()
    .option("-d, --detach", "run in the background and print the ID", false)
    .option("--sig-proxy <true|false>", "pass signals on to the container", "true")
    .option("--explain", "print every system call of the start, then start");
  return pullOptions(containerOptions(run))
    .helpOption("--help", "show this help")
    .addHelpText("after", EXAMPLES)
    .action(async (image: string, words: string[], flags: Flags, command: Command) => {
      checkTerminal(flags);
      checkStreams(flags);
      requireRoot("running a container");
      requireKernel();
      await start(openApp(command), image, words, flags);
    });
}

async function start(app: App, name: string, words: readonly string[], flags: Flags) {
  for (const warning of limitWarnings(flags)) complain(`tsimg: warning: ${warning}\n`);
  const storage = parseStorageOptions(flags.storageOpt);
  const driver = app.chooseDriver(flags.driver);
  const image = await imageToRun(app, name, { ...flags, driver, storage });
  app.containers.clearUp();
  const context = createContext(app);
  const runFlags = runFlagsOf(flags, words, storage, flags.detach);
  const created = createContainer(context, image, runFlags, true);
  const prepared = prepareLaunch(context, created, {
    mode: flags.detach ? "detached" : "attached",
    interactive: flags.interactive,
    autoRemove: flags.rm,
    leave: leftStreams(parseAttach(flags.attach)),
    keepSignals: flags.sigProxy === "false",
  });
  let explained = false;
  if (flags.explain === true) {
    const { explainLaunch } = await import("../runtime/container/explain-launch.ts");
    complain(await explainLaunch(prepared, app.paths.filters));
    explained = true;
  }
  // The database stays open on purpose: closing it would flush it to the disk, and the
  // kernel closes it with execve.
  await launch(builtProgram("launcher"), prepared, app.paths, explained);
}

function checkStreams({ attach, detach, sigProxy }: Flags): void {
  if (detach && attach.length > 0)
    throw new TsimgError("ERR_USAGE", "--attach and --detach contradict each other", {
      hint: "leave one of them out",
    });
  if (sigProxy !== "true" && sigProxy !== "false")
    throw new TsimgError("ERR_USAGE", `--sig-proxy: "${sigProxy.slice(0, 64)}" is no choice`, {
      hint: "give true or false",
    });
}

function checkTerminal(flags: Flags): void {
  if (flags.tty && flags.interactive && !flags.detach && !process.stdin.isTTY)
    throw new TsimgError("ERR_USAGE", "the input device is not a TTY", { hint: "leave out -t" });
}
