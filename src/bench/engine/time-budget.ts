/** Of a suite's time the part in which places may be set up. */
const SET_UP_SHARE = 0.4;
/** Of the whole time what is kept for steps that take longer than was thought. */
const RESERVE = 0.05;

/** Divides the time of a bench among its suites by their weights. All in milliseconds. */
export class TimeBudget {
  private readonly now: () => number;
  private readonly end: number;
  private readonly weights: number[];

  constructor(budget: number, weights: readonly number[], now: () => number) {
    this.now = now;
    this.end = now() + budget * (1 - RESERVE);
    this.weights = [...weights];
  }

  /** The part of what is left that the next suite may take. */
  next(): SuiteBudget {
    const total = this.weights.reduce((sum, weight) => sum + weight, 0);
    const weight = this.weights.shift() ?? 0;
    const time = Math.max(0, (this.end - this.now()) * (weight / total));
    return { start: this.now(), time, setUp: time * SET_UP_SHARE };
  }

  /** Until the bench is to be done. */
  get left(): number {
    return Math.max(0, this.end - this.now());
  }
}

export interface SuiteBudget {
  readonly start: number;
  readonly time: number;
  /** For setting up all places. */
  readonly setUp: number;
}
