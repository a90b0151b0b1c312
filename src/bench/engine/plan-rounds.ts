/** How often a place is measured at most: more rounds tell little more. */
export const MOST_ROUNDS = 40;

export interface RoundPlan {
  readonly rounds: number;
  /**
   * By place: it takes part in every so many-th round, the first included; 0 in none. All are
   * powers of two, so that a slow place's rounds are among those of every faster one: pairs
   * are compared.
   */
  readonly strides: readonly number[];
}

/**
 * Who is measured how often in the time that there is. Every place gets an equal share of it;
 * what fast ones leave goes to the slow.
 *
 * @param costs what one round of each place takes, in any unit
 * @param time for all rounds of all places, in the same unit
 * @param most rounds
 */
export function planRounds(
  costs: readonly number[],
  time: number,
  most: number = MOST_ROUNDS,
): RoundPlan {
  const affordable = costs.map(() => 0);
  let left = time;
  let fewest = most;
  const cheapestFirst = [...costs.keys()].sort((a, b) => (costs[a] ?? 0) - (costs[b] ?? 0));
  cheapestFirst.forEach((place, done) => {
    const cost = Math.max(costs[place] ?? 0, Number.EPSILON);
    const share = left / (costs.length - done);
    // One round at least, as long as there is time for it; never more than a faster one has.
    const wanted = Math.max(Math.floor(share / cost), left >= cost ? 1 : 0);
    const rounds = Math.min(fewest, wanted);
    fewest = rounds;
    affordable[place] = rounds;
    left -= rounds * cost;
  });
  const rounds = Math.max(0, ...affordable);
  return { rounds, strides: affordable.map((count) => strideFor(count, rounds)) };
}

/** The smallest power of two with which there are at most `count` of `rounds`. */
function strideFor(count: number, rounds: number): number {
  if (count === 0) return 0;
  let stride = 1;
  while (Math.ceil(rounds / stride) > count) stride *= 2;
  return stride;
}
