import { join } from "node:path";
import type { BlockIoResources, DeviceNumber, ThrottleDevice } from "../../oci/linux-resources.ts";
import type { Setting } from "./setting.ts";

const THROTTLES = [
  { wish: "throttleReadBpsDevice", v1: "read_bps", v2: "rbps", words: "bytes read" },
  { wish: "throttleWriteBpsDevice", v1: "write_bps", v2: "wbps", words: "bytes written" },
  { wish: "throttleReadIOPSDevice", v1: "read_iops", v2: "riops", words: "reads" },
  { wish: "throttleWriteIOPSDevice", v1: "write_iops", v2: "wiops", words: "writes" },
] as const;

/**
 * The BFQ scheduler's files come first: kernels since 5.0 have no others on version 1. Not
 * every kernel has them, and as docker does, a container is then started without weights.
 */
export function blockIoV1(group: string, wishes: BlockIoResources = {}): readonly Setting[] {
  const file = (name: string) => join(group, name);
  const settings: Setting[] = [];
  const { weight, leafWeight } = wishes;
  if (weight !== undefined) {
    const instead = { file: file("blkio.weight"), value: String(weight) };
    const why = `weigh block I/O with ${weight}`;
    const bfq = { file: file("blkio.bfq.weight"), value: String(weight) };
    settings.push({ ...bfq, why, instead, dispensable: true });
  }
  if (leafWeight !== undefined) {
    const why = `weigh the group's own block I/O with ${leafWeight}`;
    settings.push({
      file: file("blkio.leaf_weight"),
      value: String(leafWeight),
      why,
      dispensable: true,
    });
  }
  for (const device of wishes.weightDevice ?? []) {
    const number = numberOf(device);
    for (const [name, value] of [
      ["weight", device.weight],
      ["leaf_weight", device.leafWeight],
    ] as const) {
      if (value === undefined) continue;
      const text = `${number} ${value}`;
      const why = `weigh block I/O of device ${number} with ${value}`;
      const old = { file: file(`blkio.${name}_device`), value: text };
      const bfq = { file: file("blkio.bfq.weight_device"), value: text };
      const either = name === "weight" ? { ...bfq, why, instead: old } : { ...old, why };
      settings.push({ ...either, dispensable: true });
    }
  }
  for (const { wish, v1, words } of THROTTLES) {
    for (const device of wishes[wish] ?? []) {
      settings.push({
        file: file(`blkio.throttle.${v1}_device`),
        value: `${numberOf(device)} ${device.rate}`,
        why: throttleWords(device, words),
      });
    }
  }
  return settings;
}

/** Weights need a scheduler: BFQ's file is there when one device has BFQ, the other with iocost. */
export function blockIoV2(group: string, wishes: BlockIoResources = {}): readonly Setting[] {
  const bfqFile = join(group, "io.bfq.weight");
  const costFile = join(group, "io.weight");
  const settings: Setting[] = [];
  const weigh = (of: string, number: string, weight: number) => {
    const value = `${number} ${ioWeightOf(weight)}`;
    settings.push({
      file: bfqFile,
      value: `${number} ${weight}`,
      why: `weigh block I/O${of} with ${weight}`,
      instead: { file: costFile, value },
      dispensable: true,
    });
  };
  if (wishes.weight !== undefined) weigh("", "default", wishes.weight);
  for (const device of wishes.weightDevice ?? []) {
    if (device.weight === undefined) continue;
    weigh(` of device ${numberOf(device)}`, numberOf(device), device.weight);
  }
  for (const { wish, v2, words } of THROTTLES) {
    for (const device of wishes[wish] ?? []) {
      settings.push({
        file: join(group, "io.max"),
        value: `${numberOf(device)} ${v2}=${device.rate === 0 ? "max" : device.rate}`,
        why: throttleWords(device, words),
      });
    }
  }
  return settings;
}

/** 10 to 1000 along a straight line to 1 to 10000, as runc converts. */
export function ioWeightOf(weight: number): number {
  return 1 + Math.floor(((Math.min(Math.max(weight, 10), 1000) - 10) * 9999) / 990);
}

function throttleWords(device: ThrottleDevice, words: string): string {
  return `limit ${words} of device ${numberOf(device)} to ${device.rate} a second`;
}

function numberOf({ major, minor }: DeviceNumber): string {
  return `${major}:${minor}`;
}
