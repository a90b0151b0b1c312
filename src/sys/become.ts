const before: (() => void)[] = [];

/** Has something done before this process becomes another program: no exit handler runs then. */
export function beforeBecoming(action: () => void): void {
  before.push(action);
}

/**
 * Becomes another program, with an empty environment. Its descriptors above 2 are closed.
 *
 * @param argv the program's arguments, its own name first
 * @see execve(2)
 */
export function become(path: string, argv: readonly string[]): never {
  for (const action of before) action();
  process.execve?.(path, argv, {});
  throw new Error(`execve '${path}' returned`);
}
