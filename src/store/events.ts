import type { Database } from "./database.ts";

/** Something that happened to a container, image, network or volume. */
export interface Event {
  readonly number: number;
  /** RFC 3339. */
  readonly time: string;
  readonly type: string;
  readonly action: string;
  /** ID or name of what it happened to. */
  readonly actor: string;
  readonly attributes: Readonly<Record<string, string>>;
}

type EventRow = Omit<Event, "attributes"> & { readonly attributes: string };

/** Call it inside the transaction that makes it happen. The oldest go by a trigger. */
export function recordEvent(
  database: Database,
  event: Omit<Event, "number" | "time"> & { readonly time?: string },
): void {
  const { time = new Date().toISOString(), type, action, actor, attributes } = event;
  database.run(
    "insert into events (time, type, action, actor, attributes) values (?, ?, ?, ?, ?)",
    time,
    type,
    action,
    actor,
    JSON.stringify(attributes),
  );
}

/** Those after a number, oldest first. */
export function eventsAfter(database: Database, number: number): readonly Event[] {
  const sql = "select * from events where number > ? order by number";
  return database
    .all<EventRow>(sql, number)
    .map((row) => ({ ...row, attributes: JSON.parse(row.attributes) as Event["attributes"] }));
}

/** The number of the newest; 0 when there is none. */
export function lastEvent(database: Database): number {
  return database.get<{ last: number | null }>("select max(number) as last from events")?.last ?? 0;
}
