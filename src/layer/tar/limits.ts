/** What an archive may ask for at most. */
export interface TarLimits {
  /** Entries in one archive. */
  readonly entries: number;
  /** Bytes of a path or of a link's target. */
  readonly pathBytes: number;
  /** Bytes of one extended header, GNU long name or sparse map. */
  readonly headerBytes: number;
  /** Bytes of all records that global headers leave in force: every entry pays for them. */
  readonly globalHeaderBytes: number;
  /** Bytes of one entry's extended attributes, names included. */
  readonly xattrBytes: number;
  /** Bytes of one file, holes included. */
  readonly fileBytes: number;
}

export const DEFAULT_TAR_LIMITS: TarLimits = {
  entries: 4_000_000,
  pathBytes: 4096,
  headerBytes: 1024 ** 2,
  globalHeaderBytes: 64 * 1024,
  xattrBytes: 512 * 1024,
  fileBytes: 16 * 1024 ** 4,
};
