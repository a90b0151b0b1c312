const before: (() => void)[] = [];

/** Has something done before this process becomes another program: no exit handler runs then. */
export function beforeBecoming(action: () => void): void {
  before.push(action);
}

/**
 * Becomes another program. Descriptors above 2 are closed.
 *
 * @param argv        the program's arguments, its own name first
 * @param environment all of it: nothing is passed on
 * @see execve(2)
 */
export function become(
  path: string,
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): never {
  for (const action of before) action();
  process.execve?.(path, argv, environment);
  throw new Error(`execve '${path}' returned`);
}
