/**
 * A mount as one flag asks for it: checked for itself, not yet against the other flags, the
 * image and the host.
 */
export type MountRequest = BindRequest | VolumeRequest | TmpfsRequest;

export interface BindRequest {
  readonly kind: "bind";
  /** Of the host; from the working directory when it starts with a dot. */
  readonly source: string;
  readonly destination: string;
  readonly readonly: boolean;
  readonly propagation: string;
  readonly recursive: boolean;
  /** Whether a missing source becomes a directory; else it is an error. */
  readonly makesSource: boolean;
}

export interface VolumeRequest {
  readonly kind: "volume";
  /** Absent: a new volume of its own. */
  readonly name?: string;
  readonly destination: string;
  readonly readonly: boolean;
  readonly copyUp: boolean;
  readonly subpath?: string;
  /** For a volume that isn't there yet. */
  readonly labels: Readonly<Record<string, string>>;
  /** The local driver's, for a volume that isn't there yet. */
  readonly options: Readonly<Record<string, string>>;
}

export interface TmpfsRequest {
  readonly kind: "tmpfs";
  readonly destination: string;
  readonly options: readonly string[];
}

export const PROPAGATIONS: readonly string[] = [
  "private",
  "rprivate",
  "shared",
  "rshared",
  "slave",
  "rslave",
];

const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/;

export const VOLUME_NAME_HINT =
  "a volume name starts with a letter or digit; letters, digits, and _ . - may follow, up to 255";

export function isVolumeName(text: string): boolean {
  return VOLUME_NAME.test(text);
}
