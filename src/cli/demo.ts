import { existsSync } from "node:fs";
import { constants } from "node:os";
import { App } from "../app.ts";
import { removeContainer } from "../runtime/container/remove-container.ts";
import { signalContainer } from "../runtime/container/signals.ts";
import { TsimgError } from "../sys/error.ts";
import { Command } from "./command.ts";
import { expectThat } from "./demo/expect-that.ts";
import { Stage } from "./demo/stage.ts";
import { playStory } from "./demo/story.ts";
import { makeWorkspace, type Workspace } from "./demo/workspace.ts";
import { interruptible } from "./globals.ts";

const OUTRO = `
How to go on:
  $ tsimg pull alpine
  $ tsimg run --rm -it alpine sh
  $ tsimg --help
`;

/** `tsimg demo`: what it shows stands in demo/story.ts, its image in src/image/demo. */
export function command(): Command {
  return new Command("demo")
    .description("see the whole story in a few seconds: build, pull, run, look inside, clean up")
    .addHelpText("after", "\nExamples:\n  $ tsimg demo\n  $ tsimg demo | less -R\n")
    .action(async () => {
      if (process.getuid?.() !== 0)
        throw new TsimgError("ERR_ROOT_REQUIRED", "the demo needs root: it mounts file systems", {
          hint: "run it with sudo; all it makes is a temporary directory",
        });
      const directory = await interruptible(playInWorkspace);
      expectThat(!existsSync(directory), `${directory} is removed`);
      process.stdout.write(`\n${directory} is removed: nothing is left.\n${OUTRO}`);
    });
}

/** @returns where it played: it is gone by then, however the story ended */
async function playInWorkspace(interrupted: AbortSignal): Promise<string> {
  using workspace = makeWorkspace();
  using app = new App({ root: workspace.store });
  const { stdout, env } = process;
  const unread = new AbortController();
  // As when piped into head: without a listener the process would end here and now.
  stdout.on("error", (error) => unread.abort(error));
  const signal = AbortSignal.any([interrupted, unread.signal]);
  using _guard = atExit(() => removeAtOnce(app, workspace));
  try {
    const stage = new Stage({ output: stdout, env, signal, store: workspace.store });
    await playStory({ stage, app, workspace });
  } finally {
    await removeContainers(app);
  }
  return workspace.directory;
}

/** Runs `action` should the process exit before the answer is disposed of. */
function atExit(action: () => void): Disposable {
  process.on("exit", action);
  return { [Symbol.dispose]: () => process.off("exit", action) };
}

/** At the second Ctrl-C, which ends the process at once; npx makes two of every one. */
function removeAtOnce({ containers }: App, workspace: Workspace): void {
  try {
    for (const container of containers.list()) {
      if (container.state.status === "running")
        signalContainer(container, constants.signals.SIGKILL);
      containers.remove(container.row, container.options);
    }
  } finally {
    workspace[Symbol.dispose]();
  }
}

/** What a story that was cut short left: its cgroups lie outside of the workspace. */
async function removeContainers({ containers }: App): Promise<void> {
  const never = new AbortController().signal;
  for (const { row } of containers.list()) await removeContainer(containers, row.id, true, never);
}
