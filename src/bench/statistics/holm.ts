/**
 * Which of many tests are significant when all of them together may be wrong with this chance.
 * @see Holm, "A Simple Sequentially Rejective Multiple Test Procedure" (1979)
 */
export function holm(values: readonly number[], chance: number): readonly boolean[] {
  const order = [...values.keys()].sort((a, b) => (values[a] ?? 1) - (values[b] ?? 1));
  const passed = values.map(() => false);
  for (const [rank, at] of order.entries()) {
    if ((values[at] ?? 1) > chance / (values.length - rank)) break;
    passed[at] = true;
  }
  return passed;
}
