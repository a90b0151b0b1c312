import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Why tests that need root and `programs` can't run here; undefined when they can. Goes into
 * the name of what is skipped.
 */
export function missing(programs: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  const absent = programs.filter((program) => !isInstalled(program));
  return absent.length === 0 ? undefined : `needs ${absent.join(", ")}`;
}

function isInstalled(program: string): boolean {
  const path = `${process.env["PATH"] ?? ""}${delimiter}/usr/sbin${delimiter}/sbin`;
  return path.split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
