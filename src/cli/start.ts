import type { App } from "../app.ts";
import type { Container } from "../runtime/container/container.ts";
import { isStarting } from "../runtime/container/container-look.ts";
import { TsimgError } from "../sys/error.ts";
import { sleep } from "../sys/sleep.ts";
import { attachTo } from "./attach.ts";
import { Command } from "./command.ts";
import { eachNamed } from "./each-named.ts";
import { openApp } from "./globals.ts";
import { requireRoot } from "./require-root.ts";
import { each, NONE } from "./run-flags/each.ts";
import { startAgain, startDetached } from "./start-again.ts";

/** Milliseconds between two looks. */
const POLL = 20;

interface Flags {
  readonly attach: boolean;
  readonly interactive: boolean;
  readonly all: boolean;
  readonly filter: readonly string[];
  readonly detachKeys?: string;
}

const EXAMPLES = `
Examples:
  $ tsimg start web
  $ tsimg start -ai build
  $ tsimg start --all --filter should-start-on-boot=true
`;

/** `tsimg start` */
export function command(): Command {
  return new Command("start")
    .description("start containers that were made before")
    .argument("[container...]", "names or IDs")
    .option("-a, --attach", "stay in front, with the container's output", false)
    .option("-i, --interactive", "connect the container's standard input", false)
    .option("--detach-keys <keys>", "typed to leave a terminal (ctrl-p,ctrl-q)")
    .option("--all", "every container that doesn't run, as after a reboot", false)
    .option("-f, --filter <name=value>", "of those, as restart-policy=always", each, NONE)
    .addHelpText("after", EXAMPLES)
    .action(async (names: string[], flags: Flags, command: Command) => {
      requireRoot("starting a container");
      const app = openApp(command);
      if (flags.attach || flags.interactive) return attached(app, names, flags);
      using _closed = app;
      const wanted = flags.all ? stopped(app, flags.filter) : names;
      if (wanted.length === 0 && !flags.all)
        throw new TsimgError("ERR_USAGE", "no container named", { hint: "give names, or --all" });
      process.exitCode = await eachNamed(
        wanted,
        command.optsWithGlobals()["debug"] === true,
        (name) => startOne(app, name),
      );
    });
}

async function startOne(app: App, name: string): Promise<string> {
  const { row, state } = app.containers.existing(name);
  // As docker: starting what runs changes nothing.
  if (state.status === "running") return name;
  try {
    await startDetached(app, row.id);
  } catch (error) {
    if (!(await isStartedByOther(app, row.id, error))) throw error;
  }
  return name;
}

/** Of several commands that start it at once, one does. */
async function isStartedByOther(app: App, id: string, error: unknown): Promise<boolean> {
  if (!(error instanceof TsimgError && error.code === "ERR_STATE")) return false;
  for (;;) {
    const container = app.containers.find(id);
    if (container === undefined || !isStarting(container))
      return container?.state.status === "running";
    await sleep(POLL);
  }
}

async function attached(app: App, names: readonly string[], flags: Flags): Promise<void> {
  const [name, ...others] = names;
  if (name === undefined || others.length > 0)
    throw new TsimgError("ERR_USAGE", "one container can be attached to at a time", {
      hint: "name exactly one, or leave out --attach and --interactive",
    });
  const container = app.containers.existing(name);
  const { row, state } = container;
  if (state.status === "running")
    return attachTo(app, container, { ...flags, stdin: flags.interactive, sigProxy: "true" });
  await startAgain(app, row.id, undefined, {
    mode: "attached",
    interactive: flags.interactive,
    ...(flags.detachKeys === undefined ? {} : { detachKeys: flags.detachKeys }),
  });
}

function stopped(app: App, filters: readonly string[]): readonly string[] {
  const tests = filters.map(parseFilter);
  return app.containers
    .list()
    .filter(({ state }) => state.status !== "running")
    .filter((container) => tests.every((fits) => fits(container)))
    .map(({ row }) => row.name);
}

function parseFilter(filter: string): (container: Container) => boolean {
  const [name, value] = filter.split("=", 2);
  if (name === "restart-policy") return ({ options }) => options.restart.name === value;
  if (name === "should-start-on-boot" && (value === "true" || value === "false"))
    return (container) => startsOnBoot(container) === (value === "true");
  throw new TsimgError("ERR_USAGE", `unknown filter "${filter.slice(0, 64)}"`, {
    hint: "known: restart-policy=NAME, should-start-on-boot=true",
  });
}

/** Podman's name and rule: `always`, and `unless-stopped` unless somebody has stopped it. */
function startsOnBoot({ row, options, state }: Container): boolean {
  // One that nobody has started yet is no service.
  if (state.status === "created") return false;
  const { name } = options.restart;
  return name === "always" || (name === "unless-stopped" && row.stop_asked === 0);
}
