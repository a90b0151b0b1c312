/**
 * One mount as data: a driver says what to mount, the caller (launcher, private view,
 * test) performs it. The target is the caller's business.
 */
export interface MountSpec {
  /** File system type as in /proc/filesystems, or "bind". */
  readonly type: string;
  readonly source: string;
  /**
   * Options as mount(8) writes them: `ro`, `nodev`, `lowerdir=…`. An option may stand
   * more than once (`lowerdir+`), and their order counts.
   */
  readonly options: readonly string[];
  /** Relative paths in `options` start here: the caller changes into it before mounting. */
  readonly directory?: string;
  /**
   * `fsconfig`: each option is one fsconfig(2) call on a file system context, which has no
   * page-size limit on all of them together. `mount`: one string for mount(2).
   */
  readonly api: "mount" | "fsconfig";
}
