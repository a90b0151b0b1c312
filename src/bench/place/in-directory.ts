/**
 * Performs something in a directory, so that the kernel has but short relative paths to
 * resolve: what is measured isn't the way there.
 */
export function inDirectory<T>(directory: string, action: () => T): T {
  const before = process.cwd();
  process.chdir(directory);
  try {
    return action();
  } finally {
    process.chdir(before);
  }
}
