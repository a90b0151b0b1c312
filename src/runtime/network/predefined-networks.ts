/** Networks that need no bridge: the host's own, and none at all. */
export const PREDEFINED = ["host", "none"] as const;

export type Predefined = (typeof PREDEFINED)[number];

export function isPredefined(name: string): name is Predefined {
  return name === "host" || name === "none";
}

/** The same in every store: its name in hexadecimal, filled up. */
export function predefinedId(name: Predefined): string {
  return Buffer.from(name).toString("hex").padEnd(64, "0");
}

export function predefinedDriver(name: Predefined): string {
  return name === "host" ? "host" : "null";
}
