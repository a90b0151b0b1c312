/**
 * What a container may use of the machine: `linux.resources` of a runtime spec.
 *
 * Numbers are bytes unless said otherwise; an absent member is no wish.
 *
 * @see OCI runtime-spec 1.2, config-linux.md, "Control groups"
 */
export interface Resources {
  /** Applied in order; a later rule wins. */
  readonly devices?: readonly DeviceRule[];
  readonly memory?: MemoryResources;
  readonly cpu?: CpuResources;
  /** Processes and threads together; 0 or less is no limit. */
  readonly pids?: { readonly limit: number };
  readonly blockIO?: BlockIoResources;
  readonly hugepageLimits?: readonly HugepageLimit[];
  readonly network?: NetworkResources;
  /** By the name of an RDMA device, such as `mlx5_1`. */
  readonly rdma?: Readonly<Record<string, RdmaLimit>>;
  /** Files of a version 2 group, by name, with what is to be written into each. */
  readonly unified?: Readonly<Record<string, string>>;
}

export interface DeviceRule {
  readonly allow: boolean;
  /** All kinds when absent. */
  readonly type?: "a" | "c" | "b";
  /** All numbers when absent. */
  readonly major?: number;
  readonly minor?: number;
  /** Letters of `rwm`. */
  readonly access?: string;
}

export interface MemoryResources {
  /** -1 is no limit. */
  readonly limit?: number;
  /** What is left to the container when the machine runs short. -1 is nothing. */
  readonly reservation?: number;
  /** Memory *and* swap together, as version 1 counts; -1 is no limit. */
  readonly swap?: number;
  /** Of kernel memory. No kernel of today can; nothing is done about it. */
  readonly kernel?: number;
  /** Of TCP buffers; version 1 alone. */
  readonly kernelTCP?: number;
  /** 0 to 100: how gladly the kernel swaps; version 1 alone. */
  readonly swappiness?: number;
  /** Processes that want more than the limit wait instead of being killed; version 1 alone. */
  readonly disableOOMKiller?: boolean;
  /** Children count for their parents. The kernel knows nothing else any more. */
  readonly useHierarchy?: boolean;
  /** A limit below what is in use is refused, instead of being made true by killing. */
  readonly checkBeforeUpdate?: boolean;
}

export interface CpuResources {
  /** Version 1 weight, 2 to 262144; 1024 is the default. */
  readonly shares?: number;
  /** Microseconds of CPU time in each period; -1 is no limit. */
  readonly quota?: number;
  /** Microseconds of unused quota that may be saved up. */
  readonly burst?: number;
  /** Microseconds. */
  readonly period?: number;
  /** Microseconds of each `realtimePeriod` for real-time scheduling; version 1 alone. */
  readonly realtimeRuntime?: number;
  readonly realtimePeriod?: number;
  /** A list such as `0-2,7`. */
  readonly cpus?: string;
  readonly mems?: string;
  /** 1: gets only what nobody else wants. */
  readonly idle?: number;
}

export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

export interface BlockIoResources {
  /** 10 to 1000; what the device's scheduler makes of it. */
  readonly weight?: number;
  /** Against child groups; only kernels before 5.0 knew it. */
  readonly leafWeight?: number;
  readonly weightDevice?: readonly (DeviceNumber & {
    readonly weight?: number;
    readonly leafWeight?: number;
  })[];
  /** Bytes a second. */
  readonly throttleReadBpsDevice?: readonly ThrottleDevice[];
  readonly throttleWriteBpsDevice?: readonly ThrottleDevice[];
  /** Operations a second. */
  readonly throttleReadIOPSDevice?: readonly ThrottleDevice[];
  readonly throttleWriteIOPSDevice?: readonly ThrottleDevice[];
}

export interface ThrottleDevice extends DeviceNumber {
  readonly rate: number;
}

export interface HugepageLimit {
  /** As the kernel writes it in file names: `2MB`, `1GB`. */
  readonly pageSize: string;
  readonly limit: number;
}

/** Version 1 alone. */
export interface NetworkResources {
  /** Tag of the group's packets, for tc(8) and iptables(8). */
  readonly classID?: number;
  readonly priorities?: readonly { readonly name: string; readonly priority: number }[];
}

export interface RdmaLimit {
  readonly hcaHandles?: number;
  readonly hcaObjects?: number;
}
