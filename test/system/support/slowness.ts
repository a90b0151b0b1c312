/**
 * How many times slower than a usual machine this one is, which every limit of a test's
 * patience is multiplied by: the lab's guest is emulated, and busy with nothing else.
 */
const SLOWNESS = process.env["TSIMG_LAB"] === "1" ? 20 : 1;

/** Milliseconds to wait here for what takes `usual` at the most elsewhere. */
export function patience(usual: number): number {
  return usual * SLOWNESS;
}
