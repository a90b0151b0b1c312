import { TsimgError } from "../sys/error.ts";

/** What is to become of a container that ends. */
export type RestartPolicy =
  | { readonly kind: "no" | "always" | "unless-stopped" }
  /** `times`: how often at most, one after the other; 0 is no limit. */
  | { readonly kind: "on-failure"; readonly times: number };

/** `--restart`. @throws TsimgError ERR_USAGE */
export function parseRestartPolicy(text: string): RestartPolicy {
  const [, kind, times = "0"] =
    /^(no|always|unless-stopped|on-failure)?(?:(?<=on-failure):(\d{1,9}))?$/.exec(text) ?? [];
  if (kind === "on-failure") return { kind, times: Number(times) };
  if (kind === "no" || kind === "always" || kind === "unless-stopped") return { kind };
  throw new TsimgError("ERR_USAGE", `invalid restart policy "${text.slice(0, 64)}"`, {
    hint: "choose no, always, unless-stopped, on-failure or on-failure:TIMES",
  });
}
