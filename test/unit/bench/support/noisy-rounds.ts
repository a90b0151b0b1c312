import { randomWords } from "../../../../src/bench/content.ts";
import type { Rounds } from "../../../../src/bench/statistics/compare.ts";

export interface Noise {
  readonly seed: number;
  readonly rounds: number;
  /** The true median. */
  readonly mean: number;
  /** Standard deviation of the logarithm. */
  readonly noise: number;
  readonly perRound?: number;
}

/** Made-up figures with a known truth: log-normal, as durations are. */
export function noisyRounds({ seed, rounds, mean, noise, perRound = 1 }: Noise): Rounds {
  const random = randomWords(seed * 7919);
  for (let skip = 0; skip < 16; skip++) random();
  const value = () => mean * Math.exp(noise * normal(random));
  return new Map(
    Array.from({ length: rounds }, (_, round) => [
      round + 1,
      Array.from({ length: perRound }, value),
    ]),
  );
}

/** @see Box and Muller, "A Note on the Generation of Random Normal Deviates" (1958) */
function normal(random: () => number): number {
  const [u, v] = [(random() + 1) / 2 ** 32, random() / 2 ** 32];
  return Math.sqrt(-2 * Math.log(Math.min(u, 1))) * Math.cos(2 * Math.PI * v);
}
