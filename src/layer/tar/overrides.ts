import { type ByteString, toByteString } from "./byte-string.ts";
import { overLimit, TarFault } from "./fault.ts";
import type { TarLimits } from "./limits.ts";
import { type PaxRecords, paxRecordBytes, readPaxRecords } from "./pax.ts";

/** What stood in the blocks before an entry's own header and overrides it. */
export interface EntryOverrides {
  readonly pax: PaxRecords | undefined;
  /** GNU long name and long link; they win over PAX, as in Go. */
  readonly longName: ByteString | undefined;
  readonly longLink: ByteString | undefined;
}

export const EXTENSION_FLAG = {
  gnuLongLink: 0x4b,
  gnuLongName: 0x4c,
  /** Solaris wrote PAX headers with `X` before POSIX chose `x`. */
  solaris: 0x58,
  global: 0x67,
  pax: 0x78,
} as const;

const EXTENSION_FLAGS: ReadonlySet<number> = new Set(Object.values(EXTENSION_FLAG));
const NONE: EntryOverrides = { pax: undefined, longName: undefined, longLink: undefined };

export function isExtension(flag: number): boolean {
  return EXTENSION_FLAGS.has(flag);
}

/** Collects extension headers: those for the next entry, and the global ones for all. */
export class OverrideCollector {
  readonly #limits: TarLimits;
  #global: PaxRecords | undefined;
  #next = NONE;

  constructor(limits: TarLimits) {
    this.#limits = limits;
  }

  /** Whether a header was read that no entry has followed yet. */
  get pending(): boolean {
    return this.#next !== NONE;
  }

  /** @throws TarFault */
  add(flag: number, bytes: Buffer): void {
    if (flag === EXTENSION_FLAG.global) this.#addGlobal(bytes);
    else if (flag === EXTENSION_FLAG.gnuLongName) {
      this.#next = { ...this.#next, longName: untilNul(bytes) };
    } else if (flag === EXTENSION_FLAG.gnuLongLink) {
      this.#next = { ...this.#next, longLink: untilNul(bytes) };
    } else {
      this.#next = { ...this.#next, pax: readPaxRecords(bytes, this.#global, this.#limits) };
    }
  }

  /** What holds for the entry whose header is being read; the one after it starts anew. */
  take(): EntryOverrides {
    const next = this.#next;
    this.#next = NONE;
    return this.#global === undefined || next.pax !== undefined
      ? next
      : { ...next, pax: this.#global };
  }

  #addGlobal(bytes: Buffer): void {
    const records = readPaxRecords(bytes, this.#global, this.#limits);
    if (records.sparse !== undefined) throw new TarFault("global header describes a sparse file");
    const kept = paxRecordBytes(records);
    if (kept > this.#limits.globalHeaderBytes) {
      throw overLimit(this.#limits, "globalHeaderBytes", `global headers have ${kept} bytes`);
    }
    this.#global = records;
  }
}

function untilNul(bytes: Buffer): ByteString {
  const nul = bytes.indexOf(0);
  return toByteString(bytes, 0, nul === -1 ? bytes.length : nul);
}
