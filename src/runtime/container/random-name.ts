import { randomBytes } from "../../sys/random.ts";

const MOODS =
  "able amber brisk calm clear deft eager early fair fleet frank fresh gentle glad grand happy keen kind light lively lucid merry mild neat nimble noble plain polite prime proud quick quiet rapid ready sharp silent smart sober solid steady sunny swift tidy true vivid warm wise witty".split(
    " ",
  );
const NAMES =
  "abel ampere babbage boole cantor curie dijkstra euclid euler fermi franklin galois gauss germain hamming hilbert hooke hopper hypatia kepler knuth kovalevskaya lamarr leibniz liskov lovelace maxwell meitner newton noether pascal perlman planck ritchie shannon stallman tesla thompson turing wing".split(
    " ",
  );

/** A name that is easy to say and to remember, such as "keen_noether". */
export function randomName(): string {
  return `${pick(MOODS)}_${pick(NAMES)}`;
}

function pick(words: readonly string[]): string {
  return words[randomBytes(2).readUInt16LE() % words.length] ?? "";
}
