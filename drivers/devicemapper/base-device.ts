import { rmdirSync } from "node:fs";
import { flushDevice } from "../../src/sys/block-device.ts";
import { openMount } from "../../src/sys/detached-mount.ts";
import { sendTargetMessage } from "../../src/sys/device-mapper.ts";
import { tolerating } from "../../src/sys/errno.ts";
import { TsimgError } from "../../src/sys/error.ts";
import { setModificationTime } from "../../src/sys/file-node.ts";
import { runProgram } from "../../src/sys/run-program.ts";
import { activateDevices, devicePath, removeDevices } from "./dmsetup.ts";
import { deviceMount, type FileSystemType, formatCommand } from "./file-system.ts";
import { BASE_ID, thinNames, UNFINISHED_BASE_ID } from "./thin-names.ts";

export interface BaseFormat {
  /** ext4 unless said otherwise. */
  readonly filesystem?: FileSystemType;
  /** Bytes of the file systems in the pool; those of its data device unless said otherwise. */
  readonly size?: number;
}

/**
 * Sectors of every thin device: 16 TiB, of which only what was written exists. How large a
 * snapshot is says the file system in it.
 */
const SECTORS = 2 ** 35;
const LARGEST = SECTORS * 512;

/** The mapping of a thin device of a pool. */
export function thinMapping(pool: string, id: number, readOnly = false) {
  const names = thinNames(pool);
  const table = `0 ${SECTORS} thin ${devicePath(names.pool)} ${id}`;
  return { name: names.device(id), table, readOnly };
}

/**
 * Makes a pool's device 0, the empty file system that all snapshots begin as. It is formatted
 * under another number: when there is a device 0, it is complete.
 */
export function makeBase(pool: string, dataBytes: number, format: BaseFormat): void {
  const size = Math.min(format.size ?? dataBytes, LARGEST);
  const names = thinNames(pool);
  const unfinished = thinMapping(pool, UNFINISHED_BASE_ID);
  const tell = (message: string) => sendTargetMessage(names.pool, message);
  removeDevices([unfinished.name]);
  tolerating(["ENODATA"], () => tell(`delete ${UNFINISHED_BASE_ID}`));
  tell(`create_thin ${UNFINISHED_BASE_ID}`);
  activateDevices([unfinished]);
  const device = devicePath(unfinished.name);
  runProgram(formatCommand(format.filesystem ?? "ext4", device, size));
  clean(device, format.filesystem ?? "ext4");
  flushDevice(device);
  removeDevices([unfinished.name]);
  tell(`create_snap ${BASE_ID} ${UNFINISHED_BASE_ID}`);
  tell(`delete ${UNFINISHED_BASE_ID}`);
}

/** Takes out of a new file system what no image has in it. */
function clean(device: string, type: FileSystemType): void {
  using mount = openMount([deviceMount(type, device, false)], "rw", unsupported);
  tolerating(["ENOENT"], () => rmdirSync(`${mount.path}/lost+found`));
  setModificationTime(`${mount.path}/.`, 0n);
}

function unsupported(): never {
  throw new TsimgError("ERR_KERNEL", "this kernel can't mount a device apart");
}
