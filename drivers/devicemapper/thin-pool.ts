import {
  blockDeviceNumber,
  blockDeviceSize,
  readStart,
  SECTOR,
} from "../../src/sys/block-device.ts";
import { openCount, targetStatus } from "../../src/sys/device-mapper.ts";
import { tolerating } from "../../src/sys/errno.ts";
import { TsimgError } from "../../src/sys/error.ts";
import { lockFile } from "../../src/sys/file-lock.ts";
import { programOutcome, requirePrograms } from "../../src/sys/run-program.ts";
import { type BaseFormat, makeBase } from "./base-device.ts";
import { activateDevices, devicesNamed, isActive, removeDevices } from "./dmsetup.ts";
import { LEAST_FREE, parsePoolStatus, type ThinPoolStatus } from "./pool-status.ts";
import { thinNames } from "./thin-names.ts";

/** A thin pool on two block devices: partitions, or loop devices of files. */
export interface ThinPool {
  /** Names its devices on this machine, which all stores share. */
  readonly name: string;
  /** Paths in /dev. */
  readonly metadata: string;
  readonly data: string;
}

/** Sectors of a data block: what is copied when a snapshot changes a byte of it. */
const BLOCK_SECTORS = 128;
/** Bytes of a metadata device. The kernel uses no more than the larger one. */
const LEAST_METADATA = 16 * 2 ** 20;
const MOST_METADATA = 16 * 2 ** 30;
/** Room for signatures of file systems, partition tables and volume managers. */
const SIGNATURES = 128 * 1024;
const SUPERBLOCK = 4096;

/** Bytes that the metadata device of a pool should have: room for many snapshots. */
export function thinMetadataSize(dataBytes: number): number {
  const share = Math.ceil(dataBytes / 200 / 4096) * 4096;
  return Math.min(MOST_METADATA, Math.max(LEAST_METADATA, share));
}

/**
 * Makes a pool on two empty devices and activates it.
 *
 * @throws TsimgError ERR_STATE when there is something on one of the devices
 */
export function createThinPool(pool: ThinPool, format: BaseFormat = {}): void {
  const devices = blockDevices(pool);
  using _lock = lockFile(pool.metadata);
  makePool(pool, devices, format);
}

/**
 * Makes a pool usable, as after a reboot. One that is active already is left as it is.
 *
 * @throws TsimgError ERR_DRIVER when its metadata is damaged: nothing is activated then
 */
export function activateThinPool(pool: ThinPool): void {
  const name = thinNames(pool.name).pool;
  if (isActive(name)) return;
  const devices = blockDevices(pool);
  using _lock = lockFile(pool.metadata);
  if (!isActive(name)) activate(pool, devices);
}

/** As `activateThinPool`; on devices of which the first was never written to, as `createThinPool`. */
export function openThinPool(pool: ThinPool, format: BaseFormat): void {
  const name = thinNames(pool.name).pool;
  if (isActive(name)) return;
  const devices = blockDevices(pool);
  using _lock = lockFile(pool.metadata);
  if (isActive(name)) return;
  if (isBlank(pool.metadata, SUPERBLOCK)) makePool(pool, devices, format);
  else activate(pool, devices);
}

/**
 * Runs `action`, which needs the pool's base. When that isn't there, since whoever made the
 * pool was killed or is still at it, it is made or waited for, and `action` runs again.
 */
export function withBase(pool: ThinPool, format: BaseFormat, action: () => void): void {
  const done = () => tolerating(["ENODATA"], () => [action()]) !== undefined;
  if (done()) return;
  using _lock = lockFile(pool.metadata);
  if (done()) return;
  makeBase(pool.name, blockDevices(pool).dataBytes, format);
  action();
}

/**
 * Takes a pool and all its devices away from the kernel; what is on the disks stays. A pool
 * that isn't active is no error.
 * @throws TsimgError ERR_IN_USE when something of it is mounted
 */
export function deactivateThinPool(pool: string): void {
  const names = thinNames(pool);
  removeDevices(devicesNamed(names.prefix).filter(names.isDevice));
  if (openCount(names.pool) !== undefined) removeDevices([names.pool]);
}

/** @returns undefined when the pool isn't active */
export function thinPoolStatus(pool: string): ThinPoolStatus | undefined {
  const line = targetStatus(thinNames(pool).pool);
  return line === undefined ? undefined : parsePoolStatus(line, BLOCK_SECTORS * SECTOR);
}

interface PoolDevices {
  /** `major:minor`. */
  readonly metadata: string;
  readonly data: string;
  readonly dataBytes: number;
}

/** Under the pool's lock. */
function makePool(pool: ThinPool, devices: PoolDevices, format: BaseFormat): void {
  const mkfs = format.filesystem === "xfs" ? "mkfs.xfs" : "mkfs.ext4";
  requirePrograms(["dmsetup", "thin_check", mkfs]);
  const used = [pool.metadata, pool.data].find((path) => !isBlank(path, SIGNATURES));
  if (used !== undefined)
    throw new TsimgError("ERR_STATE", `there is something on '${used}'`, {
      hint: `when nobody needs it: dd if=/dev/zero of=${used} bs=128K count=1`,
    });
  // The kernel formats metadata whose first block is zero.
  activateDevices([poolMapping(pool.name, devices)]);
  makeBase(pool.name, devices.dataBytes, format);
}

/** Under the pool's lock. */
function activate(pool: ThinPool, devices: PoolDevices): void {
  requirePrograms(["dmsetup", "thin_check"]);
  checkMetadata(pool);
  activateDevices([poolMapping(pool.name, devices)]);
}

function blockDevices(pool: ThinPool): PoolDevices {
  const [metadata, data] = [pool.metadata, pool.data].map((path) => {
    const number = blockDeviceNumber(path);
    if (number !== undefined) return number;
    throw new TsimgError("ERR_DRIVER", `'${path}' of thin pool '${pool.name}' is no block device`, {
      hint: "it takes a partition, a whole disk, or a file attached with losetup",
    });
  }) as [string, string];
  return { metadata, data, dataBytes: blockDeviceSize(data) };
}

function poolMapping(name: string, { metadata, data, dataBytes }: PoolDevices) {
  const sectors = Math.floor(dataBytes / SECTOR);
  const lowWater = Math.ceil((sectors / BLOCK_SECTORS) * LEAST_FREE);
  // A write that finds the pool full fails, in place of waiting a minute for it to grow.
  // Blocks aren't zeroed: nobody but the file systems reads them, and they read what they wrote.
  const features = "2 skip_block_zeroing error_if_no_space";
  const table = `0 ${sectors} thin-pool ${metadata} ${data} ${BLOCK_SECTORS} ${lowWater} ${features}`;
  return { name: thinNames(name).pool, table };
}

function checkMetadata({ name, metadata }: ThinPool): void {
  // A flag that the kernel has set after a failure is cleared when there is no damage.
  const argv = ["thin_check", "--quiet", "--clear-needs-check-flag", metadata];
  const { status, stderr, stdout } = programOutcome(argv);
  if (status === 0) return;
  const said = `${stderr}${stdout}`.trim().split("\n").at(-1) ?? "";
  throw new TsimgError(
    "ERR_DRIVER",
    `the metadata of thin pool '${name}' is damaged${said === "" ? "" : `: ${said}`}`,
    {
      hint: `repair it to another device: thin_repair -i ${metadata} -o DEVICE`,
    },
  );
}

function isBlank(path: string, length: number): boolean {
  return readStart(path, length).every((byte) => byte === 0);
}
