/** What a user asks of a container's user namespace, as given. */
export interface UsernsFlags {
  /** `host`, `private`, `auto[:size=N]`, `container:ID`, `ns:PATH`. */
  readonly userns?: string;
  /** `container:host[:size]`. */
  readonly uidmap: readonly string[];
  readonly gidmap: readonly string[];
  /** Whose ranges of /etc/subuid and /etc/subgid are used. */
  readonly subuidname?: string;
  readonly subgidname?: string;
}
