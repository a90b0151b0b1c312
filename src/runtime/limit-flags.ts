/**
 * The flags that limit a container, as given to `tsimg run` and `tsimg update`: nothing is
 * checked yet. An absent member is a flag not given.
 */
export interface LimitFlags {
  /** A size, as in `512m`. */
  readonly memory?: string;
  /** A size, of memory and swap together; `-1` is no limit. */
  readonly memorySwap?: string;
  readonly memoryReservation?: string;
  /** 0 to 100; -1 is as usual. */
  readonly memorySwappiness?: string;
  readonly oomKillDisable?: boolean;
  /** Accepted, and without effect: see limitWarnings. */
  readonly kernelMemory?: string;
  /** A number, as in `1.5`. */
  readonly cpus?: string;
  readonly cpuShares?: string;
  /** Microseconds, as are the next three. */
  readonly cpuPeriod?: string;
  readonly cpuQuota?: string;
  readonly cpuRtPeriod?: string;
  readonly cpuRtRuntime?: string;
  /** A list, as in `0-2,7`. */
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly pidsLimit?: string;
  /** 10 to 1000. */
  readonly blkioWeight?: string;
  /** `PATH:WEIGHT`. */
  readonly blkioWeightDevice?: readonly string[];
  /** `PATH:SIZE`, a second. */
  readonly deviceReadBps?: readonly string[];
  readonly deviceWriteBps?: readonly string[];
  /** `PATH:NUMBER`, a second. */
  readonly deviceReadIops?: readonly string[];
  readonly deviceWriteIops?: readonly string[];
  /** `TYPE MAJOR:MINOR ACCESS`, as in `c 10:200 rwm`. */
  readonly deviceCgroupRule?: readonly string[];
  /** The group in which the container's own is made. */
  readonly cgroupParent?: string;
}
