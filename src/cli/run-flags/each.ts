/** For options that may be given several times: all values, in order. */
export function each(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}

export const NONE: readonly string[] = [];
