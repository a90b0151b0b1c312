import type { App } from "../app.ts";
import type { Container } from "../runtime/container/container.ts";
import { removeEnded } from "../runtime/container/remove-container.ts";
import { restartPause, restartsInRow, wantsRestart } from "../runtime/container/restart-policy.ts";
import { sleep } from "../sys/sleep.ts";
import { Command } from "./command.ts";
import { openApp } from "./globals.ts";

/**
 * Called by a launcher whose container has ended: removes the container, or starts it again
 * in this process's place when its restart policy says so.
 */
export function command(): Command {
  return new Command("container-ended")
    .description("see to a container that has ended")
    .argument("<container>", "ID")
    .action(async (id: string, _flags: object, command: Command) => {
      const app = openApp(command);
      const container = app.containers.find(id);
      if (container === undefined) return;
      if (container.row.auto_remove === 1) return removeEnded(app.containers, id);
      await restart(app, container);
    });
}

/** Gives up when somebody stops the container meanwhile, or starts it. */
async function restart(app: App, { row, options }: Container): Promise<void> {
  const exit = app.containers.exitOf(row.id);
  if (exit === undefined) return;
  if (!wantsRestart(options.restart, exit, row.restarts)) return;
  const startedAt = app.containers.startedOf(row.id)?.startedAt;
  const before = restartsInRow(row.restarts_in_row, startedAt, exit);
  const due = Date.now() + restartPause(before);
  for (let left = due - Date.now(); left > 0; left = due - Date.now()) {
    await sleep(Math.min(left, 200));
    if (app.containers.find(row.id)?.state.status !== "restarting") return;
  }
  const { startAgain } = await import("./start-again.ts");
  await startAgain(app, row.id, { all: row.restarts + 1, inRow: before + 1 });
}
