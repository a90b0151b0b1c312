/** One command to start, without a shell. */
export interface Invocation {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export type Network = "none" | "bridge";

/** A tool that pulls images from a registry and runs them, with a store of its own. */
export interface Tool extends AsyncDisposable {
  readonly name: string;
  /** Whether a daemon does its work, so that killing a command doesn't stop it. */
  readonly hasDaemon: boolean;
  /** Fetches and unpacks an image until it can be run. */
  pull(reference: string): Invocation;
  /** Runs a command in a container that is removed at its end, without network unless told. */
  run(reference: string, command: readonly string[], network?: Network): Invocation;
  /** Starts a container without network and leaves it running. */
  detach(reference: string, command: readonly string[]): Invocation;
  /** Whether it has a bridge with a network behind it, as installed. */
  readonly hasBridge: boolean;
  /** Removes the image, its content and its layers; afterwards a pull does all its work anew. */
  forget(reference: string): Promise<void>;
}

export interface ToolOptions {
  /** The tool's images and layers; an existing directory. */
  readonly store: string;
  /** Sockets, logs and runtime state; an existing directory. */
  readonly state: string;
  /** Where containers' cgroups go, as a path from the hierarchy's root. */
  readonly cgroupParent: string;
  /**
   * Puts this before a daemon's command line, so that the daemon runs where the caller wants.
   */
  readonly launch?: readonly string[];
}
