import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { App } from "../../../src/app.ts";
import { tolerating } from "../../../src/sys/errno.ts";
import type { Tsimg } from "./tsimg.ts";

/** Starts a command and kills it. @param delay milliseconds after its start */
export async function killAt(tsimg: Tsimg, args: readonly string[], delay: number): Promise<void> {
  const child = tsimg.start(...args);
  const ended = new Promise((resolve) => child.on("close", resolve));
  await sleep(delay);
  child.kill("SIGKILL");
  // A detached container keeps none of its streams open.
  await ended;
}

/** What is listed can be used, and what isn't can be had again. */
export async function expectTruth(
  tsimg: Tsimg,
  image: string,
  driver: string,
  after: string,
): Promise<void> {
  const images = await tsimg.images();
  if (images.length === 0) await tsimg.output("pull", "-q", "--driver", driver, image);
  const ran = await tsimg.run("run", "--rm", "--driver", driver, image, "echo", "hello");
  expect([ran.status, ran.stdout.toString()], `${after}: ${ran.stderr}`).toEqual([0, "hello\n"]);
  const states = await tsimg.output("ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.State}}");
  for (const line of states.split("\n").filter(Boolean)) {
    const [id = "", state] = line.split(" ");
    const running = readdirSync("/proc").some((pid) => isInside(pid, id));
    expect(running, `${after}: ps says ${state}`).toBe(state === "running");
  }
}

/** Snapshots that the driver has on disk but the database doesn't, or the reverse. */
export function strayed(root: string, driver: string): readonly string[] {
  using app = new App({ root });
  const onDisk = new Set<string>(app.snapshots.driver(driver).list());
  const known = new Set(
    app.snapshots.walk().flatMap((each) => (each.driver === driver ? [each.id as string] : [])),
  );
  return [
    ...[...onDisk].filter((id) => !known.has(id)).map((id) => `only on disk: ${id}`),
    ...[...known].filter((id) => !onDisk.has(id)).map((id) => `only in the database: ${id}`),
  ];
}

/** Ids of containers that have a directory at the moment. */
export function containerIds(root: string): readonly string[] {
  const names = tolerating(["ENOENT"], () => readdirSync(join(root, "run"))) ?? [];
  return names.filter((name) => /^[0-9a-f]{64}$/.test(name));
}

/** Whether a process is in the cgroup of a container. */
function isInside(pid: string, id: string): boolean {
  if (!/^[0-9]+$/.test(pid)) return false;
  const cgroups = tolerating(["ENOENT", "ESRCH"], () =>
    readFileSync(`/proc/${pid}/cgroup`, "latin1"),
  );
  return cgroups?.includes(id) === true;
}
