import { closeSync, openSync } from "node:fs";
import { errorCode, tolerating } from "./errno.ts";
import { TsimgError } from "./error.ts";
import { type IoctlRequest, ioctl } from "./ioctl.ts";
import { cString } from "./libc.ts";

const CONTROL = "/dev/mapper/control";
/** Bytes of struct dm_ioctl, and where its fields are. */
const HEADER = 312;
const AT = { dataSize: 12, dataStart: 16, targets: 20, openCount: 24, name: 48 };
const NAME_BYTES = 128;
/** Bytes of struct dm_target_spec, which stands before the text of a status. */
const TARGET_SPEC = 40;
/** More than the status of any one target of ours. */
const ROOM = 4096;

const DEV_STATUS: IoctlRequest = { name: "DM_DEV_STATUS", number: 0xc138fd07 };
const TABLE_STATUS: IoctlRequest = { name: "DM_TABLE_STATUS", number: 0xc138fd0c };
const TARGET_MSG: IoctlRequest = { name: "DM_TARGET_MSG", number: 0xc138fd0e };

/**
 * Tells a device's target something, `create_snap 7 3` for example. By ioctl(2), since
 * dmsetup takes one message a process, and a message takes microseconds.
 *
 * @param device its name, as in /dev/mapper
 * @throws ErrnoError with what the target answered; ENXIO when there is no such device
 * @see linux/dm-ioctl.h, struct dm_target_msg
 */
export function sendTargetMessage(device: string, message: string): void {
  // A sector number of 64 bits comes first: 0, the only target's.
  request(TARGET_MSG, device, Buffer.concat([Buffer.alloc(8), cString(message)]));
}

/**
 * What the only target of a device says of itself, after having written what it keeps in
 * memory to the disk.
 * @returns undefined when there is no such device
 */
export function targetStatus(device: string): string | undefined {
  const answer = tolerating(["ENXIO"], () => request(TABLE_STATUS, device, Buffer.alloc(ROOM)));
  if (answer === undefined || answer.readUInt32LE(AT.targets) === 0) return undefined;
  const start = answer.readUInt32LE(AT.dataStart) + TARGET_SPEC;
  return answer.toString("latin1", start, answer.indexOf(0, start));
}

/**
 * How often a device is open: mounted, or held by a program.
 * @returns undefined when there is no such device
 */
export function openCount(device: string): number | undefined {
  const answer = tolerating(["ENXIO"], () => request(DEV_STATUS, device, Buffer.alloc(0)));
  return answer?.readInt32LE(AT.openCount);
}

function request(what: IoctlRequest, device: string, data: Buffer): Buffer {
  const bytes = Buffer.alloc(HEADER + data.length);
  // The oldest version of the interface that has all of this.
  bytes.writeUInt32LE(4, 0);
  bytes.writeUInt32LE(bytes.length, AT.dataSize);
  bytes.writeUInt32LE(HEADER, AT.dataStart);
  bytes.write(device, AT.name, NAME_BYTES - 1, "latin1");
  data.copy(bytes, HEADER);
  const control = openControl();
  try {
    ioctl(control, what, bytes, { path: device });
    return bytes;
  } finally {
    closeSync(control);
  }
}

function openControl(): number {
  try {
    return openSync(CONTROL, "r+");
  } catch (cause) {
    if (!["ENOENT", "ENODEV", "ENXIO"].includes(errorCode(cause) ?? "")) throw cause;
    throw new TsimgError("ERR_KERNEL", "this kernel has no device-mapper", {
      cause,
      hint: "load it with 'modprobe dm-thin-pool', or use another storage driver",
    });
  }
}
