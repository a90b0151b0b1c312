import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "../../store/database.ts";
import { tolerating } from "../../sys/errno.ts";
import type { ContainerRow, ExitRecord } from "./container.ts";
import { tellContainer } from "./container-events.ts";

/** As `execRecord` names them; `.new` while the launcher writes. */
const RECORD = /^([0-9a-f]{64})\.exec\.([0-9a-f]{64})(\.new)?$/;

/**
 * Where the launcher of an `exec` writes how it has ended: beside the container's state
 * directory, since nothing may appear in that while it is being removed.
 */
export function execRecord(state: string, exec: string): string {
  return `${state}.exec.${exec}`;
}

/** The attributes of an `exec`'s end, as docker has them. */
export function execEnd(exec: string, exitCode: number): Readonly<Record<string, string>> {
  return { execID: exec, exitCode: String(exitCode) };
}

/**
 * Tells of each `exec` that has ended, at the time when it did, and forgets its record. One
 * that couldn't be started has not died; one whose container is gone is nobody's.
 *
 * @param runRoot the directory of the state directories
 */
export function tellExecs(database: Database, runRoot: string): void {
  const names = tolerating(["ENOENT"], () => readdirSync(runRoot)) ?? [];
  const records = names.filter((name) => RECORD.test(name));
  if (records.length === 0) return;
  // Several commands may look at once: what one has told is gone when the next one's turn comes.
  database.transaction(() => {
    for (const name of records) tellOne(database, join(runRoot, name), name);
  });
}

function tellOne(database: Database, path: string, name: string): void {
  const [, container = "", exec = "", half] = RECORD.exec(name) ?? [];
  const row = database.get<ContainerRow>("select * from containers where id = ?", container);
  if (row !== undefined && half !== undefined) return;
  if (row !== undefined) {
    const text = tolerating(["ENOENT"], () => readFileSync(path, "utf8"));
    if (text === undefined) return;
    const { exitCode, finishedAt, error } = JSON.parse(text) as ExitRecord;
    if (error === undefined)
      tellContainer(database, row, "exec_die", execEnd(exec, exitCode), finishedAt);
  }
  rmSync(path, { force: true });
}
