import { OciContainer } from "../../runtime/oci/oci-container.ts";
import { idOf, type OciLine } from "./arguments.ts";
import type { OciLog } from "./log.ts";

/** What stands before the command's name. */
export interface OciGlobals {
  /** Where containers are kept. */
  readonly root: string;
  readonly systemdCgroup: boolean;
  readonly log: OciLog;
}

/** The container that a line names. */
export function containerOf({ root }: OciGlobals, line: OciLine): OciContainer {
  return new OciContainer(root, idOf(line));
}
