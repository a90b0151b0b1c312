import { TsimgError } from "../../sys/error.ts";
import type { SyscallName } from "./syscalls.ts";
import type { Argument, Operation, Register, Step, Tolerance } from "./tape.ts";
import { FIRST_FREE_REGISTER, REGISTER_COUNT } from "./tape.ts";

export interface StepOptions {
  readonly hint?: string | undefined;
  readonly status?: Step["status"];
  readonly tolerate?: Tolerance;
  readonly warn?: boolean;
  readonly retryBusy?: boolean;
  readonly into?: Register;
}

export interface Branches {
  readonly tolerate: Tolerance;
  /** Steps after a success. */
  readonly ok?: () => void;
  /** Steps after a tolerated error. */
  readonly otherwise?: () => void;
}

/** A step while the blocks behind it are still being written. */
type Draft = { -readonly [Key in keyof Step]: Step[Key] };

const NOTHING: StepOptions = {};
const NONE: Tolerance = [];

/** Writes one phase of a tape: steps in order, registers, and forward jumps from branches. */
export class Steps {
  readonly #steps: Draft[] = [];
  #nextRegister: number;

  /** @param earlier a phase whose registers are still read in this one */
  constructor(earlier?: Steps) {
    this.#nextRegister = earlier === undefined ? FIRST_FREE_REGISTER : earlier.#nextRegister;
  }

  get list(): readonly Step[] {
    return this.#steps;
  }

  call(
    call: SyscallName | Operation,
    args: readonly Argument[],
    why: string,
    options: StepOptions = NOTHING,
  ): void {
    this.#steps.push({
      call,
      args,
      why,
      hint: options.hint,
      status: options.status ?? 125,
      result: options.into,
      tolerate: options.tolerate ?? NONE,
      warn: options.warn === true,
      retryBusy: options.retryBusy === true,
      skipOnOk: 0,
      skipOnTolerated: 0,
    });
  }

  /** As `call`, the answer kept in a register (a new one, or `into`). */
  keep(
    call: SyscallName,
    args: readonly Argument[],
    why: string,
    options: StepOptions = NOTHING,
  ): Register {
    const into = options.into ?? this.register();
    this.call(call, args, why, options);
    const step = this.#steps.at(-1);
    if (step !== undefined) step.result = into;
    return into;
  }

  /** Writes the step that `step` adds, then its branches with the jumps that they need. */
  attempt(step: () => void, branches: Branches): void {
    const index = this.#steps.length;
    step();
    const ok = this.#block(branches.ok);
    const joint = ok > 0 && branches.otherwise !== undefined ? this.#steps.length : undefined;
    if (joint !== undefined) this.call("skip", [], "that is done");
    const otherwise = this.#block(branches.otherwise);
    const attempted = this.#steps[index];
    if (attempted !== undefined) {
      attempted.tolerate = branches.tolerate;
      attempted.skipOnOk = ok === 0 ? otherwise : 0;
      attempted.skipOnTolerated = ok + (joint === undefined ? 0 : 1);
    }
    const end = joint === undefined ? undefined : this.#steps[joint];
    if (end !== undefined) end.skipOnOk = otherwise;
  }

  /** Ends the tape with `why` as the message. */
  fail(why: string, status: Step["status"], hint?: string): void {
    this.call("fail", [0], why, { status, hint });
  }

  register(): Register {
    if (this.#nextRegister >= REGISTER_COUNT) {
      throw new TsimgError("ERR_LAUNCH", "the launch tape needs too many registers");
    }
    return { kind: "register", index: this.#nextRegister++ };
  }

  /** Registers taken inside `body` are free again after it. */
  scope(body: () => void): void {
    const before = this.#nextRegister;
    body();
    this.#nextRegister = before;
  }

  #block(body: (() => void) | undefined): number {
    const before = this.#steps.length;
    body?.();
    return this.#steps.length - before;
  }
}
