import type { DeviceNode, LayerRemainder } from "./remainder.ts";
import type { ByteString } from "./tar/byte-string.ts";
import type { TarEntry } from "./tar/entry.ts";

interface PendingXattr {
  readonly name: ByteString;
  readonly value: Buffer;
}

/**
 * What an unpack process has to leave to its parent, by path: a later entry of the same name
 * takes it back.
 */
export class Pending {
  /** Hard links to what this layer doesn't have. */
  private readonly links = new Map<ByteString, ByteString>();
  /** Several names with one entry are hard links to one device. */
  private readonly devices = new Map<ByteString, TarEntry>();
  private readonly xattrs = new Map<ByteString, readonly PendingXattr[]>();

  has(path: ByteString): boolean {
    return this.links.has(path) || this.devices.has(path);
  }

  /** Whether something on the way to `path` is pending, and so is no directory. */
  hasAbove(path: ByteString): boolean {
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1))
      if (this.has(path.slice(0, slash) as ByteString)) return true;
    return false;
  }

  hasBelow(path: ByteString): boolean {
    return [...this.links.keys(), ...this.devices.keys()].some((key) => key.startsWith(`${path}/`));
  }

  addLink(path: ByteString, target: ByteString): void {
    this.links.set(path, target);
  }

  addDevice(path: ByteString, entry: TarEntry): void {
    this.devices.set(path, entry);
    for (const [name, value] of entry.xattrs) this.addXattr(path, name, value);
  }

  addXattr(path: ByteString, name: ByteString, value: Buffer): void {
    this.xattrs.set(path, [...(this.xattrs.get(path) ?? []), { name, value }]);
  }

  /** `path` is now another name of `target`: what is pending for one is pending for both. */
  share(path: ByteString, target: ByteString): void {
    const link = this.links.get(target);
    const device = this.devices.get(target);
    const xattrs = this.xattrs.get(target);
    if (link !== undefined) this.links.set(path, link);
    if (device !== undefined) this.devices.set(path, device);
    if (xattrs !== undefined) this.xattrs.set(path, xattrs);
  }

  forget(path: ByteString): void {
    for (const map of [this.links, this.devices, this.xattrs]) map.delete(path);
  }

  forgetBelow(path: ByteString): void {
    for (const map of [this.links, this.devices, this.xattrs])
      for (const key of map.keys()) if (key.startsWith(`${path}/`)) map.delete(key);
  }

  remainder(): Pick<LayerRemainder, "links" | "devices" | "xattrs"> {
    const names = Map.groupBy(this.devices.keys(), (path) => this.devices.get(path));
    return {
      links: [...this.links].map(([path, target]) => ({ path, target })),
      devices: [...names].flatMap(([entry, paths]) =>
        entry === undefined ? [] : deviceNode(entry, paths),
      ),
      xattrs: [...this.xattrs].flatMap(([path, values]) =>
        values.map(({ name, value }) => ({ path, name, value: value.toString("base64") })),
      ),
    };
  }
}

function deviceNode(entry: TarEntry, paths: readonly ByteString[]): DeviceNode {
  return {
    paths,
    type: entry.type === "block" ? "block" : "char",
    major: entry.devMajor,
    minor: entry.devMinor,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    seconds: entry.mtime.seconds,
    nanoseconds: entry.mtime.nanoseconds,
  };
}
