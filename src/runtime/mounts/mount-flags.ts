/** What a user asks to be mounted, as given: nothing is checked yet. */
export interface MountFlags {
  /** `[source:]destination[:options]`. */
  readonly volume: readonly string[];
  /** `type=…,source=…,destination=…` and more, as a line of CSV. */
  readonly mount: readonly string[];
  /** `destination[:options]`. */
  readonly tmpfs: readonly string[];
  /** `container[:ro|rw]`. */
  readonly volumesFrom: readonly string[];
  /** `local`, for there is no other. */
  readonly volumeDriver?: string;
}
