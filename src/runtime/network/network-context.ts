import type { Database } from "../../store/database.ts";

/** What the parts of the network side need of the rest of a store. */
export interface NetworkContext {
  readonly database: Database;
  /** Absolute path of the store. */
  readonly root: string;
  /** What the default network shall have when it is made; empty: what is free. */
  readonly defaultSubnets: readonly string[];
  /** Where a container's files are that end with it. */
  readonly stateDirectory: (containerId: string) => string;
  /** Whether a container runs or is being started: what it holds is not to be taken from it. */
  readonly isAlive: (containerId: string) => boolean;
}

/** TSIMG_SUBNET and TSIMG_SUBNET6 are for the default network. */
export function defaultSubnets(): readonly string[] {
  const wanted = [process.env["TSIMG_SUBNET"], process.env["TSIMG_SUBNET6"]];
  return wanted.flatMap((text) => (text === undefined || text === "" ? [] : [text]));
}
