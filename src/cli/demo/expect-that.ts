import { TsimgError } from "../../sys/error.ts";

/** A part of the demo that didn't do what it says. */
export function expectThat(condition: boolean, claim: string): asserts condition {
  if (condition) return;
  throw new TsimgError("ERR_STATE", `the demo went wrong: it is not so that ${claim}`, {
    hint: "this is a fault of tsimg, or of this machine's kernel: please report it",
  });
}
