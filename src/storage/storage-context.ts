import type { Database } from "../store/database.ts";
import type { StorePaths } from "../store/paths.ts";
import type { ConfigFiles } from "./config-file.ts";

/** What decides where drivers lie. */
export interface StorageContext {
  readonly paths: StorePaths;
  readonly database: Database;
  readonly config: ConfigFiles;
}
