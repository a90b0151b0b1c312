/** A value to write into a file of a cgroup. */
export interface Setting {
  readonly file: string;
  readonly value: string;
  /** Which wish this fulfils, for messages: `limit memory to 536870912 bytes`. */
  readonly why: string;
  /** A failure is no reason to give up. */
  readonly optional?: boolean;
  /** A container that is started does without, and its user is told. */
  readonly dispensable?: boolean;
  /** What to write when there is no such file: some have another name in other kernels. */
  readonly instead?: { readonly file: string; readonly value: string };
}

export function orMax(value: number): string {
  return value < 0 ? "max" : String(value);
}
