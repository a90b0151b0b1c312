import { closeSync, openSync } from "node:fs";
import { errorCode } from "./errno.ts";
import { type IoctlRequest, ioctl } from "./ioctl.ts";

const LOOP_CTL_GET_FREE: IoctlRequest = { name: "LOOP_CTL_GET_FREE", number: 0x4c82 };
const LOOP_CONFIGURE: IoctlRequest = { name: "LOOP_CONFIGURE", number: 0x4c0a };
/** struct loop_config: the file, the block size, struct loop_info64, eight words of nothing. */
const CONFIG_BYTES = 304;
const FLAGS_AT = 60;
const NAME_AT = 64;
const NAME_BYTES = 63;
const READ_ONLY = 1;
const AUTOCLEAR = 4;
/** Free devices that other processes may take first. */
const ATTEMPTS = 64;

/** A loop device that is there as long as it is open or mounted. */
export interface LoopDevice extends Disposable {
  readonly path: string;
}

/**
 * Makes a read-only block device of a file.
 * @throws ErrnoError, or an error of `node:fs` where there are no loop devices
 * @see loop(4)
 */
export function openLoopDevice(file: string): LoopDevice {
  const fd = openSync(file, "r");
  const control = openSync("/dev/loop-control", "r+");
  try {
    for (let attempt = 1; ; attempt++) {
      const path = `/dev/loop${ioctl(control, LOOP_CTL_GET_FREE, 0, { path: file })}`;
      const device = configured(path, fd, file, attempt < ATTEMPTS);
      if (device !== undefined) return device;
    }
  } finally {
    closeSync(control);
    closeSync(fd);
  }
}

/** @returns undefined when another process has taken the device meanwhile */
function configured(
  path: string,
  fd: number,
  file: string,
  mayFail: boolean,
): LoopDevice | undefined {
  const config = Buffer.alloc(CONFIG_BYTES);
  config.writeUInt32LE(fd, 0);
  config.writeUInt32LE(READ_ONLY | AUTOCLEAR, FLAGS_AT);
  config.write(file.slice(-NAME_BYTES), NAME_AT, NAME_BYTES, "latin1");
  const device = openSync(path, "r");
  try {
    ioctl(device, LOOP_CONFIGURE, config, { path: file, dest: path });
    return { path, [Symbol.dispose]: () => closeSync(device) };
  } catch (error) {
    closeSync(device);
    if (mayFail && errorCode(error) === "EBUSY") return undefined;
    throw error;
  }
}
