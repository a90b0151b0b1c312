import { familiarReference, type Reference } from "../oci/reference.ts";
import type { Database } from "../store/database.ts";
import { recordEvent } from "../store/events.ts";

/** Records that an image was pulled, or found to be up to date: docker tells both. */
export function tellPull(database: Database, reference: Reference): void {
  const { tag, digest, ...repository } = reference;
  const attributes = { name: familiarReference(repository) };
  const actor = familiarReference(reference);
  database.transaction(() => {
    recordEvent(database, { type: "image", action: "pull", actor, attributes });
  });
}

/** Records that a name was taken from an image, or the image removed. Call it in a transaction. */
export function tellImage(database: Database, id: string, action: "untag" | "delete"): void {
  recordEvent(database, { type: "image", action, actor: id, attributes: { name: id } });
}
